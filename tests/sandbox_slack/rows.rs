//! Tables of calls and what is refused of them.

use serde_json::{Value, json};

use crate::support::{Stage, actions, text};

/// (what, arguments, the error, or none if it must be taken)
pub type Row = (&'static str, Value, Option<&'static str>);

pub async fn check(stage: &Stage, method: &str, rows: Vec<Row>) {
    for (what, args, error) in rows {
        let heard = stage.api(method, args).await;
        assert_eq!(heard.error(), error, "{method}, {what}: {:?}", heard.body);
        assert_eq!(heard.body["ok"], json!(error.is_none()), "{method}, {what}");
        assert_eq!(heard.status, 200, "{method}, {what}");
    }
}

pub fn to_channel(more: Value) -> Value {
    let mut args = json!({ "channel": "C0APPROVE" });
    args.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    args
}

pub fn blocks(list: Value) -> Value {
    to_channel(json!({ "text": "fallback", "blocks": list }))
}

pub fn block(one: Value) -> Value {
    blocks(json!([one]))
}

pub fn element(one: Value) -> Value {
    block(actions(json!([one])))
}

pub fn option(label: &str, value: &str) -> Value {
    json!({ "text": text("plain_text", label), "value": value })
}

pub fn many(count: usize, one: impl Fn(usize) -> Value) -> Value {
    Value::Array((0..count).map(one).collect())
}

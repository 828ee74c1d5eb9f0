//! Buttons as Slack's elements, and what a press on one names. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::chat::button::{Button, Does, Look};
use crate::domain::ids::{RequestId, ResourceName};

/// `action_id` of the button that approves.
pub const APPROVE: &str = "jitbot_approve";
/// `action_id` of the button that asks why, then denies.
pub const DENY: &str = "jitbot_deny";
/// `action_id` of the button that takes a request back.
pub const WITHDRAW: &str = "jitbot_withdraw";
/// `action_id` of the button that asks for more time.
pub const EXTEND: &str = "jitbot_extend";
/// `action_id` of the button that gives access back.
pub const DONE: &str = "jitbot_done";
/// `action_id` of the button that tells again how access is used.
pub const AGAIN: &str = "jitbot_again";
/// `action_id` of the button that opens the form.
pub const ASK: &str = "jitbot_ask";

/// What a button about a request carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutRequest {
    r: RequestId,
    v: i64,
}

/// What a button that opens the form carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutResource {
    ask: Option<ResourceName>,
}

/// The value of a button about a request.
#[must_use]
pub fn button_value(request: &RequestId, version: i64) -> String {
    json!({"r": request, "v": version}).to_string()
}

/// What a button's value names; none if it is none of ours.
#[must_use]
pub fn read_button_value(value: &str) -> Option<(RequestId, i64)> {
    let AboutRequest { r, v } = serde_json::from_str(value).ok()?;
    (v >= 0).then_some((r, v))
}

/// The resource that a button opens the form for, perhaps none; none at all if it is not ours.
#[must_use]
pub fn read_ask_value(value: &str) -> Option<Option<ResourceName>> {
    let AboutResource { ask } = serde_json::from_str(value).ok()?;
    Some(ask)
}

const fn action_id(does: &Does) -> &'static str {
    match does {
        Does::Approve => APPROVE,
        Does::Deny => DENY,
        Does::Withdraw => WITHDRAW,
        Does::Extend => EXTEND,
        Does::Done => DONE,
        Does::SendAgain => AGAIN,
        Does::Ask(_) => ASK,
    }
}

/// A button.
pub(super) fn element(button: &Button) -> Value {
    let value = match (&button.does, &button.about) {
        (Does::Ask(resource), _) => json!({"ask": resource}).to_string(),
        (_, Some((request, version))) => button_value(request, *version),
        (_, None) => String::new(),
    };
    let mut element = json!({
        "type": "button",
        "action_id": action_id(&button.does),
        "value": value,
        "text": {"type": "plain_text", "text": button.label, "emoji": false},
    });
    match button.look {
        Look::Plain => {}
        Look::Primary => element["style"] = "primary".into(),
        Look::Danger => element["style"] = "danger".into(),
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_button_values_are_read() {
        let id = RequestId::from_bits(12);
        let value = button_value(&id, 3);
        assert_eq!(read_button_value(&value), Some((id.clone(), 3)));
        for forged in [
            "",
            "x",
            "{}",
            "null",
            &format!("{{\"r\":\"{id}\"}}"),
            &format!("{{\"r\":\"{id}\",\"v\":-1}}"),
            &format!("{{\"r\":\"{id}\",\"v\":\"1\"}}"),
            &format!("{{\"r\":\"{id}\",\"v\":1,\"x\":2}}"),
            "{\"r\":\"r1\",\"v\":1}",
            "{\"r\":\"'; DROP TABLE requests; --\",\"v\":1}",
        ] {
            assert_eq!(read_button_value(forged), None, "{forged}");
        }
    }

    #[test]
    fn a_button_that_opens_the_form_names_a_resource_or_none() {
        let resource = ResourceName::new("staging-ssh").unwrap();
        for named in [None, Some(resource)] {
            let drawn = element(&Button::ask(named.clone(), "Ask"));
            let value = drawn["value"].as_str().unwrap();
            assert_eq!(read_ask_value(value), Some(named));
        }
        for forged in [
            "",
            "{}x",
            "{\"ask\":1}",
            "{\"ask\":\"A B\"}",
            "{\"ask\":null,\"x\":1}",
        ] {
            assert_eq!(read_ask_value(forged), None, "{forged}");
        }
    }
}

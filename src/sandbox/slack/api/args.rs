//! Arguments of a Web API call: query, form or JSON, as Slack takes all three.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Map, Value};

use super::Refusal;

/// The arguments, with the token taken out.
#[derive(Debug, Default)]
pub(in super::super) struct Args {
    values: Map<String, Value>,
    pub(in super::super) token: Option<String>,
}

impl Args {
    pub(in super::super) fn read(
        headers: &HeaderMap,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Args, Refusal> {
        let mut values = pairs(query.unwrap_or_default().as_bytes());
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if content_type.starts_with("application/json") {
            let json: Value = if body.is_empty() {
                Value::Object(Map::new())
            } else {
                serde_json::from_slice(body).map_err(|_| Refusal::new("invalid_json"))?
            };
            let Value::Object(object) = json else {
                return Err(Refusal::new("json_not_object"));
            };
            values.extend(object);
        } else if content_type.is_empty()
            || content_type.starts_with("application/x-www-form-urlencoded")
        {
            values.extend(pairs(body));
        } else {
            return Err(Refusal::new("invalid_post_type"));
        }
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let bearer = bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(|token| token.trim().to_owned());
        let given = values
            .remove("token")
            .and_then(|token| token.as_str().map(str::to_owned));
        Ok(Args {
            values,
            token: bearer.or(given),
        })
    }

    /// Arguments that did not come over HTTP.
    pub(in super::super) fn from_object(values: Map<String, Value>) -> Args {
        Args {
            values,
            token: None,
        }
    }

    /// Everything, for the log.
    pub(in super::super) fn to_value(&self) -> Value {
        Value::Object(self.values.clone())
    }

    pub(in super::super) fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| !value.is_null())
    }

    /// A string; numbers and booleans as Slack would print them.
    pub(in super::super) fn text(&self, key: &str) -> Option<String> {
        match self.values.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// A string that must be there and not be empty.
    pub(in super::super) fn required(&self, key: &str, error: &str) -> Result<String, Refusal> {
        self.text(key)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::new(error))
    }

    pub(in super::super) fn flag(&self, key: &str) -> bool {
        matches!(self.text(key).as_deref(), Some("true" | "1"))
    }

    pub(in super::super) fn number(&self, key: &str) -> Option<usize> {
        self.text(key)?.parse().ok()
    }

    /// A JSON value, given as JSON or as a string of JSON. `None`: absent; `Err`: not JSON.
    pub(in super::super) fn json(&self, key: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// A list, given as an array or as words between commas.
    pub(in super::super) fn words(&self, key: &str) -> Vec<String> {
        let words: Vec<String> = match self.values.get(key) {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        words
            .iter()
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    }
}

fn pairs(bytes: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(bytes)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect()
}

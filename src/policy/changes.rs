//! How one policy differs from another, by their canonical texts.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::policy_news::{Difference, PolicyChange};

/// Sections of the text that hold named things, and what such a thing is called in the config.
const NAMED: &[(&str, &str)] = &[
    ("groups", "group"),
    ("issuers", "issuer"),
    ("people", "person"),
    ("resources", "resource"),
];

/// What differs, in the order of the sections' and things' names. A text that can't be read says
/// nothing, so everything in the other one differs.
#[must_use]
pub fn between(before: &str, after: &str) -> Vec<PolicyChange> {
    let (before, after) = (read(before), read(after));
    let mut changes = Vec::new();
    for section in keys(&before, &after) {
        let (old, new) = (before.get(&section), after.get(&section));
        match NAMED.iter().find(|(name, _)| *name == section) {
            Some((_, kind)) => {
                let (old, new) = (object(old), object(new));
                for name in keys(&old, &new) {
                    let what = format!("{kind}.{name}");
                    changes.extend(change(what, old.get(&name), new.get(&name)));
                }
            }
            None => changes.extend(change(section, old, new)),
        }
    }
    changes
}

fn change(what: String, old: Option<&Value>, new: Option<&Value>) -> Option<PolicyChange> {
    let how = match (old, new) {
        (None, Some(_)) => Difference::Added,
        (Some(_), None) => Difference::Removed,
        (Some(old), Some(new)) if old != new => {
            let (was, is) = (object(Some(old)), object(Some(new)));
            let differs = |key: &String| was.get(key) != is.get(key);
            Difference::Changed(keys(&was, &is).into_iter().filter(differs).collect())
        }
        _ => return None,
    };
    Some(PolicyChange { what, how })
}

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn keys(one: &Map<String, Value>, other: &Map<String, Value>) -> BTreeSet<String> {
    one.keys().chain(other.keys()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gone_or_different_is_named_and_nothing_else() {
        let before = r#"{"format":1,"groups":{"sre":["a","b"],"old":[]},"resources":{
            "box":{"max_s":60,"request":["group:sre"],"title":"Box"},"same":{"max_s":1}}}"#;
        let after = r#"{"format":1,"groups":{"sre":["a"],"new":[]},"resources":{
            "same":{"max_s":1},"box":{"max_s":90,"request":["group:new"],"title":"Box"}}}"#;
        let said: Vec<String> = between(before, after)
            .into_iter()
            .map(|change| format!("{} {:?}", change.what, change.how))
            .collect();
        assert_eq!(
            said,
            [
                "group.new Added",
                "group.old Removed",
                "group.sre Changed([])",
                r#"resource.box Changed(["max_s", "request"])"#,
            ]
        );
        assert_eq!(between(after, after), []);
    }
}

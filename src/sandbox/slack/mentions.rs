//! Whom a message mentions, as Slack reads mrkdwn, markdown and rich text. Plain text never mentions anyone.

use serde_json::Value;

use super::wire::MentionTarget;

/// Mentions in everything that Slack parses: the top text, the blocks, the attachments.
pub(super) fn in_message(
    text: &str,
    blocks: &[Value],
    attachments: &[Value],
) -> Vec<MentionTarget> {
    let mut found = Vec::new();
    in_text(text, &mut found);
    blocks.iter().for_each(|block| in_value(block, &mut found));
    for attachment in attachments {
        for key in ["pretext", "title", "text", "fallback", "footer"] {
            if let Some(text) = attachment.get(key).and_then(Value::as_str) {
                in_text(text, &mut found);
            }
        }
        for key in ["blocks", "fields"] {
            if let Some(part) = attachment.get(key) {
                in_value(part, &mut found);
            }
        }
    }
    let mut unique = Vec::new();
    for target in found {
        if !unique.contains(&target) {
            unique.push(target);
        }
    }
    unique
}

/// With `link_names` or `parse=full` Slack also links bare `@name`s; `user_id` finds a name's owner.
pub(super) fn bare_names(
    text: &str,
    user_id: &dyn Fn(&str) -> Option<String>,
) -> Vec<MentionTarget> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('@') {
        let name: String = text[start + 1..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
            .collect();
        match name.as_str() {
            "channel" => found.push(MentionTarget::Channel),
            "here" => found.push(MentionTarget::Here),
            "everyone" => found.push(MentionTarget::Everyone),
            other => found.extend(user_id(other).map(MentionTarget::User)),
        }
    }
    found
}

fn in_value(value: &Value, found: &mut Vec<MentionTarget>) {
    let string = |key: &str| value.get(key).and_then(Value::as_str);
    match string("type") {
        Some("mrkdwn" | "markdown") => in_text(string("text").unwrap_or_default(), found),
        Some("plain_text" | "text") => {}
        Some("user") => {
            found.extend(string("user_id").map(|id| MentionTarget::User(id.to_owned())))
        }
        Some("usergroup") => {
            found.extend(string("usergroup_id").map(|id| MentionTarget::Group(id.to_owned())))
        }
        Some("broadcast") => found.extend(string("range").and_then(broadcast)),
        _ => match value {
            Value::Array(list) => list.iter().for_each(|part| in_value(part, found)),
            Value::Object(object) => object.values().for_each(|part| in_value(part, found)),
            _ => {}
        },
    }
}

fn in_text(text: &str, found: &mut Vec<MentionTarget>) {
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let Some(end) = after.find(['>', '<']) else {
            return;
        };
        if after.as_bytes()[end] == b'<' {
            // The last `<` before a `>` is the one that opens a sequence.
            rest = &after[end..];
            continue;
        }
        let head = after[..end].split('|').next().unwrap_or_default();
        if let Some(id) = head.strip_prefix('@') {
            found.push(MentionTarget::User(id.to_owned()));
        } else if let Some(id) = head.strip_prefix("!subteam^") {
            found.push(MentionTarget::Group(id.to_owned()));
        } else if let Some(word) = head.strip_prefix('!') {
            found.extend(broadcast(word));
        }
        rest = &after[end + 1..];
    }
}

fn broadcast(word: &str) -> Option<MentionTarget> {
    match word {
        "channel" | "group" => Some(MentionTarget::Channel),
        "here" => Some(MentionTarget::Here),
        "everyone" => Some(MentionTarget::Everyone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_parsed_texts_mention() {
        let user = |id: &str| MentionTarget::User(id.to_owned());
        let cases = [
            (
                "<@U1> and <@U2|bob> and <@U1>",
                vec![user("U1"), user("U2")],
            ),
            (
                "<!channel> <!here|here> <!everyone>",
                vec![
                    MentionTarget::Channel,
                    MentionTarget::Here,
                    MentionTarget::Everyone,
                ],
            ),
            (
                "<!subteam^S1|@sre>",
                vec![MentionTarget::Group("S1".into())],
            ),
            ("1 < 2 <@U3>", vec![user("U3")]),
            (
                "&lt;!channel&gt; @channel @U1 <https://x|@here> <!date^1^{date}|@here>",
                vec![],
            ),
        ];
        for (text, targets) in cases {
            assert_eq!(in_message(text, &[], &[]), targets, "{text}");
            let mrkdwn = json!({"type":"section","fields":[{"type":"mrkdwn","text":text}]});
            assert_eq!(
                in_message("", &[mrkdwn], &[]),
                targets,
                "mrkdwn field {text}"
            );
            let plain = json!({"type":"section","text":{"type":"plain_text","text":text}});
            assert_eq!(in_message("", &[plain], &[]), [], "plain {text}");
        }
        let rich = json!({"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
            {"type":"user","user_id":"U9"},{"type":"broadcast","range":"here"},{"type":"text","text":"<!channel>"}]}]});
        assert_eq!(
            in_message("", &[rich], &[]),
            [user("U9"), MentionTarget::Here]
        );
    }

    #[test]
    fn bare_names_count_where_names_are_linked() {
        let user_id = |name: &str| (name == "bob").then(|| "U2".to_owned());
        let found = bare_names("@bob, @channel and @nobody", &user_id);
        assert_eq!(
            found,
            [MentionTarget::User("U2".into()), MentionTarget::Channel]
        );
    }
}

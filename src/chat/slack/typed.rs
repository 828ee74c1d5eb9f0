//! Text as Slack sends it, back to what was typed.

/// Takes Slack's escapes and sequences back: `&lt;` to `<`, `<@U1|ann>` to `@ann`, `<#C1|ops>` to
/// `#ops`, `<https://a|b>` to `https://a`, `<!here>` to `@here`.
///
/// Slack escapes what a person types, so a bare `<` can only begin a sequence that Slack itself made.
#[must_use]
pub fn as_typed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&unescaped(&rest[..start]));
        let after = &rest[start + 1..];
        match after.find(['>', '<']) {
            Some(end) if after.as_bytes()[end] == b'>' => {
                out.push_str(&sequence(&after[..end]));
                rest = &after[end + 1..];
            }
            // Not a sequence; the sign stays what it is.
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(&unescaped(rest));
    out
}

fn sequence(inside: &str) -> String {
    let (head, label) = match inside.split_once('|') {
        Some((head, label)) => (head, Some(label).filter(|label| !label.is_empty())),
        None => (inside, None),
    };
    let named = |sign: char, id: &str| {
        let name = label.unwrap_or(id);
        format!("{sign}{}", unescaped(name.trim_start_matches(sign)))
    };
    if let Some(user) = head.strip_prefix('@') {
        named('@', user)
    } else if let Some(channel) = head.strip_prefix('#') {
        named('#', channel)
    } else if let Some(group) = head.strip_prefix("!subteam^") {
        named('@', group)
    } else if let Some(special) = head.strip_prefix('!') {
        match label {
            // A date or an unknown command: its label is what people saw.
            Some(label) if special.contains('^') => unescaped(label),
            _ => format!("@{}", unescaped(special)),
        }
    } else {
        // An address, and what is shown for it: the address is what counts, so that none hides.
        unescaped(head.strip_prefix("mailto:").unwrap_or(head))
    }
}

/// `&amp;` last, or `&amp;lt;` would become `<`.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sequences_become_what_people_read() {
        for (sent, typed) in [
            ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
            ("&amp;lt;", "&lt;"),
            ("&lt;!channel&gt;", "<!channel>"),
            ("for <@U1|ann> in <#C1|ops>", "for @ann in #ops"),
            ("for <@U1> in <#C1|>", "for @U1 in #C1"),
            (
                "see <https://a.example/?a=1&amp;b=2|the page>",
                "see https://a.example/?a=1&b=2",
            ),
            ("<mailto:a@b.example|a@b.example>", "a@b.example"),
            (
                "<!here> <!subteam^S1|@sre> <!date^1^{date}|then>",
                "@here @sre then",
            ),
            ("a < b <@U1", "a < b <@U1"),
            ("<<@U1>", "<@U1"),
        ] {
            assert_eq!(as_typed(sent), typed, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn what_is_typed_comes_back(text in any::<String>()) {
            let sent = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(as_typed(&sent), text);
        }

        #[test]
        fn nothing_that_is_sent_panics(text in "[<>@#!|^&;a-z ]{0,40}") {
            let _ = as_typed(&text);
        }
    }
}

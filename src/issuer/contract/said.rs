//! What others wrote, made fit for one of our sentences.

use secrecy::SecretString;

use crate::issuer::redaction::redacted;

/// The longest that somebody else's words may be within a sentence of ours, in characters.
const WORDS_MAX_CHARS: usize = 200;

/// The longest that a single word of theirs may be there.
const WORD_MAX_CHARS: usize = 40;

/// One line, without control characters, cut short.
pub(super) fn one_line(text: &str, max_chars: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= max_chars {
        return line;
    }
    let cut: String = line.chars().take(max_chars - 1).collect();
    format!("{cut}…")
}

/// Somebody's words within a sentence, without the secrets that they were given.
pub(super) fn words(text: &str, secrets: &[&SecretString]) -> String {
    one_line(&redacted(text, secrets), WORDS_MAX_CHARS)
}

/// A word of somebody's within a sentence, without the secrets that they were given.
pub(super) fn word(text: &str, secrets: &[&SecretString]) -> String {
    one_line(&redacted(text, secrets), WORD_MAX_CHARS)
}

/// A sentence and what somebody said beside it, if they did.
pub(super) fn with(what: &str, said: &str) -> String {
    if said.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {said}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_short_line_without_secrets() {
        let secret = SecretString::from("hunter2-hunter2");
        assert_eq!(
            words("no\u{1b}[31m way:\n hunter2-hunter2 is wrong", &[&secret]),
            "no [31m way: [secret] is wrong"
        );
        let long_secret = SecretString::from("x".repeat(300));
        let said = words(&format!("{0} {0}", "x".repeat(300)), &[&long_secret]);
        assert_eq!(said, "[secret] [secret]");
        assert_eq!(word(&"x".repeat(300), &[&long_secret]), "[secret]");
        let long = words(&"ä".repeat(500), &[]);
        assert_eq!((long.chars().count(), long.ends_with('…')), (200, true));
    }
}

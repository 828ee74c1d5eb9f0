//! Secrets that somebody was given, taken out of what they say.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// What stands where a secret stood.
const IN_ITS_PLACE: &str = "[secret]";
/// The shortest part that is looked for, in bytes. A shorter one would tear harmless words apart, and
/// guards nothing.
const PART_MIN: usize = 4;
/// The shortest line of a secret of several lines that is looked for by itself.
const LINE_MIN: usize = 8;
/// The shortest beginning of a secret at the end of a text that is taken out: the rest may have been
/// cut off.
const BEGINNING_MIN: usize = 8;

/// A text without these secrets. Comes before every cut: half a secret is not found any more.
#[must_use]
pub fn redacted(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        for part in parts(secret.expose_secret()) {
            text = text.replace(part, IN_ITS_PLACE);
        }
        if let Some(begins) = beginning_at_the_end(&text, secret.expose_secret()) {
            text.truncate(begins);
            text.push_str(IN_ITS_PLACE);
        }
    }
    text
}

/// Whether anything in it holds one of these secrets.
#[must_use]
pub fn holds(value: &Value, secrets: &[&SecretString]) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| holds(value, secrets)),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| says(key, secrets) || holds(value, secrets)),
        Value::String(text) => says(text, secrets),
        Value::Number(number) => says(&number.to_string(), secrets),
        Value::Null | Value::Bool(_) => false,
    }
}

fn says(text: &str, secrets: &[&SecretString]) -> bool {
    secrets
        .iter()
        .any(|secret| parts(secret.expose_secret()).any(|part| text.contains(part)))
}

/// The whole, and each of its lines: a shell puts them side by side.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret.lines().map(str::trim);
    std::iter::once(secret)
        .filter(|whole| whole.len() >= PART_MIN)
        .chain(lines.filter(|line| line.len() >= LINE_MIN))
}

fn beginning_at_the_end(text: &str, secret: &str) -> Option<usize> {
    let longest = secret.len().min(text.len());
    (BEGINNING_MIN..longest)
        .rev()
        .filter(|length| secret.is_char_boundary(*length))
        .find(|length| text.ends_with(&secret[..*length]))
        .map(|length| text.len() - length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_found_whole_by_line_and_where_it_was_cut_off() {
        let secret = SecretString::from("first-line-of-it\nsecond-line-of-it\n");
        let of = |text: &str| redacted(text, &[&secret]);
        assert_eq!(
            of("a first-line-of-it\nsecond-line-of-it\nb"),
            "a [secret]b"
        );
        assert_eq!(
            of("a first-line-of-it second-line-of-it b"),
            "a [secret] [secret] b"
        );
        assert_eq!(of("a first-line-"), "a [secret]");
        assert_eq!(of("a first"), "a first");
        let short = SecretString::from("abc");
        assert_eq!(redacted("abc", &[&short]), "abc");
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let secret = SecretString::from("12345678");
        for value in [
            json!("x 12345678"),
            json!({"a": ["12345678"]}),
            json!({"12345678": 1}),
            json!(12_345_678),
        ] {
            assert!(holds(&value, &[&secret]), "{value}");
        }
        assert!(!holds(&json!({"a": ["1234567", null, true]}), &[&secret]));
    }
}

//! Text for people that no platform has drawn yet, and how typed text is made safe to show.
//!
//! Segments say what a piece of text is. A platform's renderer decides how it looks and escapes it, so
//! typed text, which can only enter as plain text, can't ping, link or format anything.

use super::button::Button;
use crate::domain::delivery::IssuedSecret;
use crate::domain::ids::{AccountId, Place};
use crate::domain::timing::Timestamp;

/// Characters of a person's name; a longer one is cut.
pub const NAME_MAX: usize = 80;

/// One piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Literal text.
    Plain(String),
    /// Literal text that stands out.
    Strong(String),
    /// Something to be typed or copied.
    Code(String),
    /// An instant, shown in each reader's own zone.
    Moment(Timestamp),
    /// A person, who may be notified.
    Person(AccountId),
    /// A person who must not be notified.
    PersonQuiet(AccountId),
    /// A channel.
    Place(Place),
}

/// One line of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(Vec<Segment>);

impl Text {
    /// A line that begins with literal text.
    #[must_use]
    pub fn of(text: impl AsRef<str>) -> Self {
        Self::default().plain(text)
    }

    /// Adds literal text, made safe to show.
    #[must_use]
    pub fn plain(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Segment::Plain(shown(text.as_ref())));
        self
    }

    /// Adds literal text that stands out.
    #[must_use]
    pub fn strong(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Segment::Strong(shown(text.as_ref())));
        self
    }

    /// Adds something to be typed or copied.
    #[must_use]
    pub fn code(mut self, text: impl AsRef<str>) -> Self {
        self.0.push(Segment::Code(shown(text.as_ref())));
        self
    }

    /// Adds an instant.
    #[must_use]
    pub fn moment(mut self, at: Timestamp) -> Self {
        self.0.push(Segment::Moment(at));
        self
    }

    /// Adds a person who may be notified.
    #[must_use]
    pub fn person(mut self, account: &AccountId) -> Self {
        self.0.push(Segment::Person(account.clone()));
        self
    }

    /// Adds a person who must not be notified.
    #[must_use]
    pub fn quietly(mut self, account: &AccountId) -> Self {
        self.0.push(Segment::PersonQuiet(account.clone()));
        self
    }

    /// Adds a channel.
    #[must_use]
    pub fn place(mut self, place: &Place) -> Self {
        self.0.push(Segment::Place(place.clone()));
        self
    }

    /// Adds another line's segments.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds names, each as code: `a`, `b` or `c`.
    #[must_use]
    pub fn names<N: AsRef<str>>(mut self, names: &[N], last: &str) -> Self {
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                let joint = if i + 1 == names.len() { last } else { ", " };
                self = self.plain(joint);
            }
            self = self.code(name);
        }
        self
    }

    /// The pieces in order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Everybody whom the line names without notifying them.
    pub fn quiet_people(&self) -> impl Iterator<Item = &AccountId> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::PersonQuiet(account) => Some(account),
            _ => None,
        })
    }

    /// The most characters that a platform may draw it with, in UTF-16 units.
    #[must_use]
    pub fn width_max(&self) -> usize {
        self.0
            .iter()
            .map(|segment| match segment {
                Segment::Plain(text) | Segment::Strong(text) | Segment::Code(text) => {
                    text.encode_utf16().count()
                }
                Segment::Moment(at) => utc(*at).len(),
                Segment::Person(_) | Segment::PersonQuiet(_) => NAME_MAX,
                Segment::Place(place) => place.member().len() + 1,
            })
            .sum()
    }

    /// The line for a log, a notification or a terminal: instants in UTC, accounts by their ids.
    #[must_use]
    pub fn flat(&self) -> String {
        self.0
            .iter()
            .map(|segment| match segment {
                Segment::Plain(text) | Segment::Strong(text) | Segment::Code(text) => text.clone(),
                Segment::Moment(at) => utc(*at),
                Segment::Person(account) | Segment::PersonQuiet(account) => {
                    account.member().to_owned()
                }
                Segment::Place(place) => format!("#{}", place.member()),
            })
            .collect()
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Begins a section with these words.
    Section(&'static str),
    /// A line.
    Line(Text),
    /// Lines that belong together, each with a mark before it.
    List(Vec<Text>),
    /// Somebody's own words.
    Quote(String),
    /// Text that must come out as it is, e.g. a certificate. Never cut.
    Verbatim(String),
    /// A secret for who reads it: as it is, and in no notification. Never cut.
    Secret(IssuedSecret),
    /// A line that matters less.
    Aside(Text),
    /// Buttons in a row.
    Buttons(Vec<Button>),
}

/// A message: a title, perhaps, and its parts in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// Title.
    pub title: Option<String>,
    /// What it says.
    pub parts: Vec<Part>,
}

impl Message {
    /// A message without a title that says one thing.
    #[must_use]
    pub fn line(text: Text) -> Self {
        Self {
            title: None,
            parts: vec![Part::Line(text)],
        }
    }

    /// A message with a title.
    #[must_use]
    pub fn titled(title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
            parts: Vec::new(),
        }
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Everybody whom the message names without notifying them.
    #[must_use]
    pub fn quiet_people(&self) -> Vec<AccountId> {
        self.parts
            .iter()
            .flat_map(|part| match part {
                Part::Line(text) | Part::Aside(text) => std::slice::from_ref(text),
                Part::List(lines) => lines.as_slice(),
                Part::Section(_)
                | Part::Quote(_)
                | Part::Verbatim(_)
                | Part::Secret(_)
                | Part::Buttons(_) => &[],
            })
            .flat_map(Text::quiet_people)
            .cloned()
            .collect()
    }

    /// The message for a notification or a terminal, without what is verbatim.
    #[must_use]
    pub fn flat(&self) -> String {
        let mut lines: Vec<String> = self.title.iter().cloned().collect();
        for part in &self.parts {
            match part {
                Part::Section(words) => lines.push((*words).to_owned()),
                Part::Line(text) | Part::Aside(text) => lines.push(text.flat()),
                Part::List(items) => {
                    lines.extend(items.iter().map(|item| format!("- {}", item.flat())));
                }
                Part::Quote(words) => lines.push(format!("\u{201c}{}\u{201d}", shown(words))),
                Part::Verbatim(_) | Part::Secret(_) | Part::Buttons(_) => {}
            }
        }
        lines.join("\n")
    }
}

/// An instant in UTC for people: `2026-11-24 18:00 UTC`.
#[must_use]
pub fn utc(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Text as it may be shown: what can't be seen but changes how its neighbours read is left out,
/// control characters become blanks, and text from right to left is isolated from what stands around.
#[must_use]
pub fn shown(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|&c| !is_bidi_control(c) && !is_invisible(c))
        .map(|c| match c {
            '\n' => '\n',
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    if clean.chars().any(is_right_to_left) {
        format!("\u{2068}{clean}\u{2069}")
    } else {
        clean
    }
}

/// At most `max` UTF-16 units of a text, the largest count that any platform uses for its limits; what
/// was cut ends with an ellipsis and never within a character that is made of several.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let isolated = text.starts_with('\u{2068}');
    // Room for the ellipsis, and for the end of an isolation.
    let room = max.saturating_sub(1 + usize::from(isolated));
    let (mut kept, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > room {
            break;
        }
        kept = at + c.len_utf8();
    }
    // Step back to where no mark, joiner or modifier continues what stands before it.
    while kept > 0 {
        let next = text[kept..].chars().next();
        let last = text[..kept].chars().next_back();
        if next.is_some_and(continues) || last == Some('\u{200d}') {
            kept -= last.map_or(0, char::len_utf8);
        } else {
            break;
        }
    }
    let mut out = text[..kept].trim_end().to_owned();
    if max > 0 {
        out.push('\u{2026}');
    }
    if isolated && max > 1 {
        out.push('\u{2069}');
    }
    out
}

/// Whether a person would see anything of it.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| {
        !c.is_whitespace()
            && !c.is_control()
            && !is_bidi_control(c)
            && !is_invisible(c)
            && !continues(c)
    })
}

const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Characters without width that join nothing. The joiners U+200C and U+200D stay: scripts and emoji
/// need them.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
}

const fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Combining marks, variation selectors, skin tones and joiners.
const fn continues(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{3099}' | '\u{309a}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_turns_text_around_is_left_out_and_rtl_text_is_isolated() {
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200f}"), "abc");
        assert_eq!(shown("a\0b\tc\nd"), "a b c\nd");
        assert_eq!(shown("שלום"), "\u{2068}שלום\u{2069}");
        assert_eq!(shown("👩‍💻 ok"), "👩‍💻 ok");
    }

    #[test]
    fn a_cut_never_splits_what_belongs_together() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("ae\u{301}\u{301}x", 3), "a…");
        assert_eq!(cut("x👩‍💻yz", 5), "x…");
        assert_eq!(cut("👍🏽👍🏽", 5), "👍🏽…");
        assert_eq!(cut(&shown("שלום עולם"), 6), "\u{2068}שלו…\u{2069}");
    }

    #[test]
    fn blanks_and_marks_alone_are_not_visible() {
        for text in [
            "",
            " \n",
            "\u{200b}\u{feff}",
            "\u{202e}",
            "\u{301}",
            "\u{200d}",
        ] {
            assert!(!is_visible(text), "{text:?}");
        }
        assert!(is_visible("ü"));
    }

    proptest! {
        #[test]
        fn a_cut_holds_its_limit(text in "\\PC{0,60}", max in 1_usize..80) {
            let cut = cut(&shown(&text), max);
            prop_assert!(cut.encode_utf16().count() <= max, "{cut:?}");
        }
    }
}

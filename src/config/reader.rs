//! Reads TOML with its lines, and collects problems instead of stopping at the first.

mod ratio;

use std::cell::RefCell;
use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::problem::{Problem, nearest, quoted};
use crate::domain::duration;

/// Looks up an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How durations are written, as a hint.
pub(super) const DURATION_HINT: &str = "Write it like 45m, 8h or 2d.";

/// The file being read, and what was found wrong with it so far.
pub(super) struct Source<'a> {
    file: &'a str,
    line_starts: Vec<usize>,
    env: Env<'a>,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    lines: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &str, env: Env<'a>) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            file,
            line_starts,
            env,
            problems: RefCell::default(),
            warnings: RefCell::default(),
            lines: RefCell::default(),
        }
    }

    /// The line, from 1, of a byte.
    pub(super) fn line_of(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= byte)
    }

    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    fn say(&self, line: usize, key: &str, what: String, hint: String) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line,
            key: key.to_owned(),
            what,
            hint,
        }
    }

    pub(super) fn problem(
        &self,
        line: usize,
        key: &str,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let problem = self.say(line, key, what.into(), hint.into());
        self.problems.borrow_mut().push(problem);
    }

    /// A problem with the key that was read under this path.
    pub(super) fn problem_at(&self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        self.problem(self.line_at(key), key, what, hint);
    }

    /// A warning about the key that was read under this path.
    pub(super) fn warning_at(&self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let warning = self.say(self.line_at(key), key, what.into(), hint.into());
        self.warnings.borrow_mut().push(warning);
    }

    /// Whether a problem was found at this key or below it.
    pub(super) fn has_problem_under(&self, key: &str) -> bool {
        let below = format!("{key}.");
        let problems = self.problems.borrow();
        problems
            .iter()
            .any(|problem| problem.key == key || problem.key.starts_with(&below))
    }

    fn line_at(&self, key: &str) -> usize {
        line_in(&self.lines.borrow(), key)
    }

    /// Problems, warnings (both in the order of the file), and the lines of all keys that were read.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Problem>, BTreeMap<String, usize>) {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        let mut warnings = self.warnings.into_inner();
        warnings.sort_by_key(|warning| warning.line);
        (problems, warnings, self.lines.into_inner())
    }
}

/// The line of a key, or of the nearest key around it that was read.
pub(super) fn line_in(lines: &BTreeMap<String, usize>, key: &str) -> usize {
    let mut path = key;
    loop {
        if let Some(&line) = lines.get(path) {
            return line;
        }
        match path.rfind(['.', '[']) {
            Some(end) => path = &path[..end],
            None => return 0,
        }
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Item<'a> {
    source: &'a Source<'a>,
    pub(super) path: String,
    line: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    fn new(source: &'a Source<'a>, path: String, line: usize, value: &'a DeValue<'a>) -> Self {
        source.lines.borrow_mut().insert(path.clone(), line);
        Self {
            source,
            path,
            line,
            value,
        }
    }

    pub(super) fn problem(&self, what: impl Into<String>, hint: impl Into<String>) {
        self.source.problem(self.line, &self.path, what, hint);
    }

    pub(super) fn warning(&self, what: impl Into<String>, hint: impl Into<String>) {
        self.source.warning_at(&self.path, what, hint);
    }

    pub(super) fn source(&self) -> &'a Source<'a> {
        self.source
    }

    // The value itself is never repeated here: it may be a secret in the wrong place.
    fn wrong_type(&self, wanted: &str) {
        let found = match self.value.type_str() {
            kind @ ("integer" | "array") => format!("an {kind}"),
            kind => format!("a {kind}"),
        };
        self.problem(format!("is {found}, not {wanted}"), "");
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(super) fn is_string(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn is_array(&self) -> bool {
        self.value.is_array()
    }

    /// A text, whole number, true or false as JSON; nothing is said where it is another.
    pub(super) fn plain_value(&self) -> Option<serde_json::Value> {
        if let Some(text) = self.value.as_str() {
            return Some(text.into());
        }
        if let Some(truth) = self.value.as_bool() {
            return Some(truth.into());
        }
        let number = self.value.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Into::into)
    }

    /// A string.
    pub(super) fn string(&self) -> Option<&'a str> {
        let found = self.value.as_str();
        if found.is_none() {
            self.wrong_type("a string");
        }
        found
    }

    /// A string for people: not empty, without control characters, of limited length.
    pub(super) fn label(&self, max_chars: usize) -> Option<String> {
        let text = self.string()?;
        if text.trim().is_empty() {
            self.problem("is empty", "");
        } else if text.chars().any(char::is_control) {
            self.problem("holds control characters", "Write it in one line.");
        } else if text.chars().count() > max_chars {
            self.problem(format!("is longer than {max_chars} characters"), "");
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// true or false.
    pub(super) fn boolean(&self) -> Option<bool> {
        let found = self.value.as_bool();
        if found.is_none() {
            self.wrong_type("true or false");
        }
        found
    }

    /// A whole number within limits.
    pub(super) fn integer(&self, from: i64, to: i64) -> Option<i64> {
        let Some(found) = self.value.as_integer() else {
            self.wrong_type("a whole number");
            return None;
        };
        let number = i64::from_str_radix(found.as_str(), found.radix())
            .ok()
            .filter(|number| (from..=to).contains(number));
        if number.is_none() {
            self.problem(
                format!("{found} is out of range"),
                format!("It may be {from} to {to}."),
            );
        }
        number
    }

    /// A duration, in seconds.
    pub(super) fn duration(&self) -> Option<i64> {
        if self.value.is_integer() {
            self.problem("is a number without a unit", DURATION_HINT);
            return None;
        }
        let text = self.string()?;
        let seconds = duration::parse(text);
        if seconds.is_none() {
            self.problem(
                format!("{} is not a duration", quoted(text)),
                format!("{DURATION_HINT} The most is 366d."),
            );
        }
        seconds
    }

    /// An IANA time zone.
    pub(super) fn time_zone(&self) -> Option<chrono_tz::Tz> {
        let text = self.string()?;
        let zone = text.parse::<chrono_tz::Tz>().ok();
        if zone.is_none() {
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            self.problem(
                format!("{} is not a time zone", quoted(text)),
                nearest(text, names),
            );
        }
        zone
    }

    /// The elements of an array.
    pub(super) fn array(&self) -> Option<Vec<Item<'a>>> {
        let Some(array) = self.value.as_array() else {
            self.wrong_type("an array");
            return None;
        };
        let items = array.iter().enumerate().map(|(i, value)| {
            Item::new(
                self.source,
                format!("{}[{i}]", self.path),
                self.source.line_of(value.span().start),
                value.get_ref(),
            )
        });
        Some(items.collect())
    }

    /// A table that holds nothing but these keys. `later` are keys that are known, but not yet served.
    pub(super) fn table(&self, keys: &[&str], later: &[(&str, &str)]) -> Option<Table<'a>> {
        let table = self.open()?;
        table.only(keys, later);
        Some(table)
    }

    /// A table whose keys are names of things.
    pub(super) fn open(&self) -> Option<Table<'a>> {
        let Some(map) = self.value.as_table() else {
            self.wrong_type("a table");
            return None;
        };
        Some(Table {
            source: self.source,
            path: self.path.clone(),
            line: self.line,
            map,
        })
    }
}

/// A table and where it stands.
pub(super) struct Table<'a> {
    source: &'a Source<'a>,
    path: String,
    line: usize,
    map: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// The whole document.
    pub(super) fn root(source: &'a Source<'a>, map: &'a DeTable<'a>) -> Self {
        Self {
            source,
            path: String::new(),
            line: 0,
            map,
        }
    }

    fn path_of(&self, key: &str) -> String {
        let bare = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let key = if bare { key.to_owned() } else { quoted(key) };
        if self.path.is_empty() {
            key
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Refuses every key but these.
    pub(super) fn only(&self, keys: &[&str], later: &[(&str, &str)]) {
        for key in self.map.keys() {
            let name: &str = key.get_ref();
            if keys.contains(&name) {
                continue;
            }
            let line = self.source.line_of(key.span().start);
            let path = self.path_of(name);
            match later.iter().find(|(known, _)| *known == name) {
                Some((_, instead)) => {
                    self.source
                        .problem(line, &path, "is not served yet", *instead);
                }
                None => self.source.problem(
                    line,
                    &path,
                    "is no key that is known here",
                    nearest(name, keys.iter().copied()),
                ),
            }
        }
    }

    /// The value under a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        let (name, value) = self.map.get_key_value(key)?;
        Some(Item::new(
            self.source,
            self.path_of(key),
            self.source.line_of(name.span().start),
            value.get_ref(),
        ))
    }

    /// The value under a key that must be there.
    pub(super) fn need(&self, key: &str, hint: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            let path = self.path_of(key);
            self.source.problem(self.line, &path, "is missing", hint);
        }
        item
    }

    /// All keys with their values.
    pub(super) fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let keys = self.map.keys().map(|key| -> &'a str { key.get_ref() });
        keys.filter_map(|name| Some((name, self.get(name)?)))
            .collect()
    }
}

//! A Rust file as the rules see it: code without comments and literals, literals without code, and
//! where its test module lies. No parser: enough of a lexer that a rule about code is not fooled by
//! a comment, a string or a lifetime.

use std::ops::Range;

/// One file and how it reads. Offsets into the code are offsets into the text.
pub struct Source {
    /// From the repository's root, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Comments and the insides of literals are spaces.
    pub code: String,
    /// The insides of string literals.
    pub literals: Vec<Range<usize>>,
}

/// A breach of a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// `path:line`.
    pub place: String,
    /// What is wrong and why it matters.
    pub reason: String,
}

impl Source {
    /// Reads a text.
    pub fn new(path: &str, text: &str) -> Self {
        let (code, literals) = split(text);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            literals,
        }
    }

    /// The room that a file of `src` belongs to: `domain` for `src/domain/…` and `src/domain.rs`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or("");
        inside
            .split('/')
            .next()
            .unwrap_or("")
            .trim_end_matches(".rs")
    }

    /// A fault at an offset of this file.
    pub fn fault(&self, offset: usize, reason: impl Into<String>) -> Fault {
        let line = 1 + self.text.as_bytes()[..offset]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        Fault {
            place: format!("{}:{line}", self.path),
            reason: reason.into(),
        }
    }

    /// Where `needle` stands in the code as words of its own (`sleep(` is not in `asleep(`).
    pub fn find(&self, needle: &str) -> Vec<usize> {
        find_words(&self.code, needle)
    }

    /// The words of the code with their offsets.
    pub fn words(&self) -> Vec<(usize, &str)> {
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in self.code.char_indices().chain([(self.code.len(), ' ')]) {
            match (start, is_word(c)) {
                (None, true) => start = Some(at),
                (Some(from), false) => {
                    words.push((from, &self.code[from..at]));
                    start = None;
                }
                _ => {}
            }
        }
        words
    }

    /// The bodies of `mod NAME { … }` in the code.
    pub fn inline_modules(&self) -> Vec<(&str, Range<usize>)> {
        let words = self.words();
        let mut modules = Vec::new();
        for pair in words.windows(2) {
            let [(_, "mod"), (at, name)] = pair else {
                continue;
            };
            let after = at + name.len();
            if !self.code[after..].trim_start().starts_with('{') {
                continue;
            }
            let open = after + self.code[after..].find('{').unwrap_or(0);
            modules.push((*name, open..closing(&self.code, open, b'{', b'}')));
        }
        modules
    }

    /// Whether an offset lies in `mod tests { … }`, or the whole file is one (`…/tests.rs`, `…/tests/*.rs`).
    pub fn in_tests(&self, offset: usize) -> bool {
        self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/")
            || self
                .inline_modules()
                .iter()
                .any(|(name, body)| *name == "tests" && body.contains(&offset))
    }

    /// The modules from the crate's root to a file: `["chat", "slack"]` for `src/chat/slack/mod.rs`.
    fn module_path(&self) -> Vec<&str> {
        let inside = self
            .path
            .strip_prefix("src/")
            .unwrap_or(&self.path)
            .trim_end_matches(".rs");
        let mut path: Vec<&str> = inside.split('/').collect();
        if matches!(path.last(), Some(&("mod" | "lib" | "main"))) {
            path.pop();
        }
        path
    }

    /// What stands directly below a root: `fs` and `io` for `std::fs::read` and `use std::{io, …}`.
    pub fn heads_after(&self, root: &str) -> Vec<(usize, String)> {
        let tails = self
            .words()
            .into_iter()
            .filter(|(_, word)| *word == root)
            .filter_map(|(at, word)| {
                let tail = self.code[at + word.len()..].strip_prefix("::")?;
                Some((at, tail))
            });
        tails
            .flat_map(|(at, tail)| heads(tail).into_iter().map(move |head| (at, head)))
            .collect()
    }

    /// The rooms that the code names, by `crate::`, `jitbot::` or enough `super::`.
    ///
    /// `*` stands for the whole crate taken in at once.
    pub fn rooms_named(&self) -> Vec<(usize, String)> {
        let mut rooms = self.heads_after("crate");
        rooms.extend(self.heads_after("jitbot"));
        let depth = self.module_path().len();
        let modules = self.inline_modules();
        let mut last_super_end = 0;
        for (at, word) in self.words() {
            match word {
                "crate" | "jitbot" if self.code[at + word.len()..].starts_with(" as ") => {
                    rooms.push((at, "*".to_owned()));
                }
                "super" if at >= last_super_end => {
                    let nested = modules
                        .iter()
                        .filter(|(_, body)| body.contains(&at))
                        .count();
                    let mut tail = &self.code[at..];
                    let mut up = 0;
                    while let Some(rest) = tail.strip_prefix("super::") {
                        tail = rest;
                        up += 1;
                    }
                    last_super_end = self.code.len() - tail.len();
                    if up > 0 && up >= depth + nested {
                        rooms.extend(heads(tail).into_iter().map(|room| (at, room)));
                    }
                }
                _ => {}
            }
        }
        rooms
    }
}

/// The first names of the paths that follow: `a` of `a::b`, `a` and `c` of `{a::b, c}`.
fn heads(tail: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        if text.starts_with('*') {
            "*".to_owned()
        } else {
            text[..end].to_owned()
        }
    };
    if !tail.starts_with('{') {
        return vec![name(tail)];
    }
    let group = &tail[1..closing(tail, 0, b'{', b'}')];
    let mut depth = 0;
    let mut starts = vec![0];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts
        .into_iter()
        .map(|at| name(&group[at..]))
        .filter(|head| !head.is_empty())
        .collect()
}

/// The offset of the bracket that closes the one at `open`, or the end.
pub fn closing(code: &str, open: usize, left: u8, right: u8) -> usize {
    let mut depth = 0_usize;
    for (at, &byte) in code.as_bytes().iter().enumerate().skip(open) {
        if byte == left {
            depth += 1;
        } else if byte == right {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    code.len()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `needle` stands in `text` with no letter of a longer word beside it.
pub fn find_words(text: &str, needle: &str) -> Vec<usize> {
    text.match_indices(needle)
        .filter(|(at, _)| {
            let open = needle.starts_with(is_word) && text[..*at].ends_with(is_word);
            let close = needle.ends_with(is_word) && text[at + needle.len()..].starts_with(is_word);
            !open && !close
        })
        .map(|(at, _)| at)
        .collect()
}

/// The code, with comments and the insides of literals as spaces, and where the string literals are.
fn split(text: &str) -> (String, Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut blank = Vec::new();
    let mut literals = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let after_word = at > 0 && (bytes[at - 1] == b'_' || bytes[at - 1].is_ascii_alphanumeric());
        if rest.starts_with("//") {
            let end = rest.find('\n').map_or(bytes.len(), |n| at + n);
            blank.push(at..end);
            at = end;
        } else if rest.starts_with("/*") {
            let end = block_comment_end(text, at);
            blank.push(at..end);
            at = end;
        } else if let Some((open, close)) = raw_string(rest).filter(|_| !after_word) {
            let inner = at + open;
            let stop = text[inner..]
                .find(&close)
                .map_or(bytes.len(), |n| inner + n);
            literals.push(inner..stop);
            at = (stop + close.len()).min(bytes.len());
        } else if bytes[at] == b'"' {
            let stop = quoted_end(bytes, at + 1, b'"');
            literals.push(at + 1..stop);
            at = (stop + 1).min(bytes.len());
        } else if let Some(stop) = char_literal_end(text, at) {
            blank.push(at + 1..stop);
            at = stop + 1;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    let mut code = bytes.to_vec();
    for range in blank.into_iter().chain(literals.iter().cloned()) {
        code[range]
            .iter_mut()
            .filter(|byte| **byte != b'\n')
            .for_each(|byte| *byte = b' ');
    }
    let code = String::from_utf8(code).expect("whole literals and comments were blanked");
    (code, literals)
}

fn block_comment_end(text: &str, start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `r"`, `br##"`, …: the length of the opening and the closing.
fn raw_string(rest: &str) -> Option<(usize, String)> {
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..]
        .bytes()
        .take_while(|&byte| byte == b'#')
        .count();
    let open = prefix.len() + hashes;
    rest[open..]
        .starts_with('"')
        .then(|| (open + 1, format!("\"{}", "#".repeat(hashes))))
}

fn quoted_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// The closing quote of `'x'`; none for a lifetime.
fn char_literal_end(text: &str, at: usize) -> Option<usize> {
    let rest = text[at..].strip_prefix('\'')?;
    if rest.starts_with('\\') {
        return Some(quoted_end(text.as_bytes(), at + 1, b'\''));
    }
    let first = rest.chars().next()?;
    rest[first.len_utf8()..]
        .starts_with('\'')
        .then(|| at + 1 + first.len_utf8())
}

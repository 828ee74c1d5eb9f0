//! Questions on a terminal, or on a pipe: each with a reason and a default, asked again until the answer
//! will do.

use std::io::{BufRead, Write};

/// No answer comes any more, or nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answers ended; nothing was written")]
pub struct Stopped;

/// One question.
#[derive(Debug, Clone)]
pub struct Question<'q> {
    /// What is asked.
    pub what: &'q str,
    /// Why, or what the answer is for: one line.
    pub why: &'q str,
    /// What an empty answer means; none where there must be one.
    pub default: Option<String>,
}

/// Asks and listens.
pub struct Asker<R, W> {
    answers: R,
    words: W,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    /// Over these.
    pub fn new(answers: R, words: W) -> Self {
        Self { answers, words }
    }

    /// Says something.
    ///
    /// # Errors
    /// [`Stopped`] when nobody can read it.
    pub fn say(&mut self, line: &str) -> Result<(), Stopped> {
        writeln!(self.words, "{line}")
            .and_then(|()| self.words.flush())
            .map_err(|_| Stopped)
    }

    /// Asks until `read` takes the answer; what it says of others is said. An answer is never repeated:
    /// it may be a secret in the wrong place.
    ///
    /// # Errors
    /// [`Stopped`] when no answer comes any more.
    pub fn ask<T>(
        &mut self,
        question: &Question<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Stopped> {
        self.say("")?;
        self.say(question.what)?;
        self.say(&format!("  {}", question.why))?;
        loop {
            let prompt = match &question.default {
                Some(default) => format!("[{default}] > "),
                None => "> ".to_owned(),
            };
            write!(self.words, "{prompt}")
                .and_then(|()| self.words.flush())
                .map_err(|_| Stopped)?;
            let mut line = String::new();
            match self.answers.read_line(&mut line) {
                Ok(0) | Err(_) => {
                    // The prompt's line is left open.
                    let _ = writeln!(self.words);
                    return Err(Stopped);
                }
                Ok(_) => {}
            }
            let typed = line.trim();
            let answer = match (&question.default, typed.is_empty()) {
                (Some(default), true) => default.as_str(),
                (None, true) => {
                    self.say("An answer is needed here.")?;
                    continue;
                }
                (_, false) => typed,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => self.say(&why)?,
            }
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// [`Stopped`] when no answer comes any more.
    pub fn agree(&mut self, what: &str, why: &str, default: bool) -> Result<bool, Stopped> {
        let question = Question {
            what,
            why,
            default: Some(if default { "yes" } else { "no" }.to_owned()),
        };
        self.ask(&question, |answer| match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("Answer yes or no.".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(answer: &str) -> Result<u8, String> {
        answer.parse().map_err(|_| "A number, please.".to_owned())
    }

    #[test]
    fn a_wrong_answer_is_explained_and_asked_again_and_an_empty_one_is_the_default() {
        let mut words = Vec::new();
        let mut asker = Asker::new("x\n\n".as_bytes(), &mut words);
        let mut question = Question {
            what: "How many?",
            why: "Because.",
            default: Some("7".to_owned()),
        };
        assert_eq!(asker.ask(&question, number), Ok(7));
        assert_eq!(asker.ask(&question, number), Err(Stopped));
        let said = String::from_utf8(words).unwrap();
        assert_eq!(said.matches("A number, please.").count(), 1, "{said}");
        assert!(said.contains("How many?\n  Because.\n[7] > "), "{said}");

        question.default = None;
        let mut words = Vec::new();
        let mut asker = Asker::new("\n3".as_bytes(), &mut words);
        assert_eq!(
            asker.ask(&question, number),
            Ok(3),
            "also without a line end"
        );
        let said = String::from_utf8(words).unwrap();
        assert!(said.contains("An answer is needed"), "{said}");
    }
}

//! What is logged of a database that takes no writes: each failure once, in words, and when it is over.

use std::collections::BTreeSet;

use crate::clock::Stopwatch;

/// Different failures of one trouble that are logged; more are as good as these.
const SAID_MAX: usize = 16;

/// The trouble that there is, if any.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<Since>);

#[derive(Debug)]
struct Since {
    began: Stopwatch,
    failed: u64,
    said: BTreeSet<String>,
}

impl Trouble {
    /// A transaction failed. Returns whether that is news.
    pub(super) fn failed(&mut self, why: &str) -> bool {
        let since = self.0.get_or_insert_with(|| Since {
            began: Stopwatch::start(),
            failed: 0,
            said: BTreeSet::new(),
        });
        since.failed += 1;
        since.said.len() < SAID_MAX && since.said.insert(why.to_owned())
    }

    /// Something was kept. Returns the seconds that the trouble took and how many transactions failed,
    /// if there was one.
    pub(super) fn over(&mut self) -> Option<(u64, u64)> {
        let since = self.0.take()?;
        Some((since.began.elapsed().as_secs(), since.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_news_once_until_something_is_kept() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.over(), None);
        let news: Vec<bool> = ["full", "full", "locked", "full", "locked"]
            .iter()
            .map(|why| trouble.failed(why))
            .collect();
        assert_eq!(news, [true, false, true, false, false]);
        assert_eq!(trouble.over(), Some((0, 5)));
        assert_eq!(trouble.over(), None);
        assert!(trouble.failed("full"));
    }

    #[test]
    fn what_differs_each_time_fills_no_log() {
        let mut trouble = Trouble::default();
        let news = (0..1_000).filter(|n: &i32| trouble.failed(&n.to_string()));
        assert_eq!(news.count(), SAID_MAX);
    }
}

//! The conformance kit: what every issuer must keep to, judged by calling it.
//!
//! Most rules are judged through the trait alone, so `jitbot issuer check` judges them against a real
//! target. Some need a hand at the target: somebody who takes access away there, or makes it slow.
//! Those are judged where a [`Hand`] is given, as our tests do, and are said to be not judged elsewhere.

mod bench;
mod in_hand;
mod lone;
mod two;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

pub use self::bench::{Bench, Subject};
use super::{EndedGrants, GrantOrder};

/// Keeps what the engine would have on record before it calls.
pub trait Books: EndedGrants {
    /// The end of this grant is on record.
    fn end_is_ordered(&self, order: &GrantOrder);
}

/// A hand at the target, beside the issuer.
#[async_trait]
pub trait Hand: Send + Sync + 'static {
    /// Whether the account has the access there, whoever gave it.
    async fn has_access(&self) -> bool;

    /// Somebody gives the account the same access before we do.
    async fn give_before(&self);

    /// Somebody takes away what stands there for this grant.
    async fn take_by_hand(&self, order: &GrantOrder);

    /// The next call is done, and its answer is lost on its way.
    async fn lose_next_answer(&self);

    /// The next call is taken, and nothing is ever answered.
    async fn hang_next_call(&self);

    /// The next call is refused, for it is one too many.
    async fn throttle_next_call(&self);
}

/// What was found of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It holds.
    Held,
    /// It does not, and this was seen.
    Broken(String),
    /// It says nothing of this issuer, or can't be judged here.
    NotJudged(String),
}

/// Why the course of a rule ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Halt {
    Broken(String),
    NotJudged(String),
}

type Course<'b> = BoxFuture<'b, Result<(), Halt>>;

/// A rule.
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    run: for<'b> fn(&'b Bench) -> Course<'b>,
}

/// Every rule, in the order in which they are judged.
pub const RULES: &[Rule] = &[
    Rule {
        name: "check",
        says: "`check` says that the job can be done",
        run: |bench| Box::pin(lone::check(bench)),
    },
    Rule {
        name: "gives_and_takes",
        says: "what is given is there, and gone when it was taken away",
        run: |bench| Box::pin(lone::gives_and_takes(bench)),
    },
    Rule {
        name: "double_issue",
        says: "giving it twice is giving it once",
        run: |bench| Box::pin(lone::double_issue(bench)),
    },
    Rule {
        name: "double_revoke",
        says: "taking it away twice is taking it away once",
        run: |bench| Box::pin(lone::double_revoke(bench)),
    },
    Rule {
        name: "revoke_before_issue",
        says: "taking away what was never given is done, not failed",
        run: |bench| Box::pin(lone::revoke_before_issue(bench)),
    },
    Rule {
        name: "without_handle",
        says: "after a crash between call and record it is found without its handle",
        run: |bench| Box::pin(lone::without_handle(bench)),
    },
    Rule {
        name: "late_issue",
        says: "given again after its end, it is taken away again",
        run: |bench| Box::pin(lone::late_issue(bench)),
    },
    Rule {
        name: "extend_twice",
        says: "extending it twice is extending it once",
        run: |bench| Box::pin(lone::extend_twice(bench)),
    },
    Rule {
        name: "extend_after_revoke",
        says: "extended after its end, it is not there to stay",
        run: |bench| Box::pin(lone::extend_after_revoke(bench)),
    },
    Rule {
        name: "given_up",
        says: "a call that we give up leaves nothing that can't be taken away",
        run: |bench| Box::pin(lone::given_up(bench)),
    },
    Rule {
        name: "list",
        says: "the list names what is there, and nothing that is gone",
        run: |bench| Box::pin(lone::list(bench)),
    },
    Rule {
        name: "another_secret",
        says: "the secret of what is given once more is another one",
        run: |bench| Box::pin(lone::another_secret(bench)),
    },
    Rule {
        name: "first_ends_first",
        says: "of two grants of one account the second stays when the first ends",
        run: |bench| Box::pin(two::first_ends_first(bench)),
    },
    Rule {
        name: "second_ends_first",
        says: "of two grants of one account the first stays when the second ends",
        run: |bench| Box::pin(two::second_ends_first(bench)),
    },
    Rule {
        name: "issue_during_revoke",
        says: "given and taken away at the same time, it can still be taken away",
        run: |bench| Box::pin(two::issue_during_revoke(bench)),
    },
    Rule {
        name: "taken_by_hand",
        says: "what a hand took away is seen to be gone, and taking it away is done",
        run: |bench| Box::pin(in_hand::taken_by_hand(bench)),
    },
    Rule {
        name: "there_before",
        says: "access that was there before is there afterwards",
        run: |bench| Box::pin(in_hand::there_before(bench)),
    },
    Rule {
        name: "lost_answer",
        says: "done, but its answer lost: the outcome is unknown, not failed",
        run: |bench| Box::pin(in_hand::lost_answer(bench)),
    },
    Rule {
        name: "slow_target",
        says: "a target that never answers is given up, and the outcome is unknown",
        run: |bench| Box::pin(in_hand::slow_target(bench)),
    },
    Rule {
        name: "throttling_target",
        says: "a target that asks to wait is called again",
        run: |bench| Box::pin(in_hand::throttling_target(bench)),
    },
];

/// The rule without which no other can be judged.
const FIRST: &str = "gives_and_takes";

/// Judges every rule, one after the other, and takes away whatever each of them gave.
///
/// `tell` hears of each as soon as it was judged.
pub async fn judge(
    bench: &Bench,
    mut tell: impl FnMut(&Rule, &Finding),
) -> Vec<(&'static str, Finding)> {
    let mut findings = Vec::with_capacity(RULES.len());
    let mut gives = true;
    for rule in RULES {
        let finding = if gives || rule.name == "check" {
            let finding = match (rule.run)(bench).await {
                Ok(()) => Finding::Held,
                Err(Halt::Broken(seen)) => Finding::Broken(seen),
                Err(Halt::NotJudged(why)) => Finding::NotJudged(why),
            };
            bench.take_everything_away().await;
            finding
        } else {
            Finding::NotJudged(format!("it needs an issuer that keeps to {FIRST}"))
        };
        if rule.name == FIRST && matches!(finding, Finding::Broken(_)) {
            gives = false;
        }
        tell(rule, &finding);
        findings.push((rule.name, finding));
    }
    findings
}

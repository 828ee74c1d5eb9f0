//! The words of whole digests.

use chrono::DateTime;

use super::*;
use crate::domain::audit_verify::RemovedEntries;
use crate::domain::ids::{GrantId, RequestId};
use crate::domain::tally::Try;

fn at(s: i64) -> crate::domain::timing::Timestamp {
    DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

fn quiet_day() -> Digest {
    Digest {
        from: at(0),
        to: at(86_400),
        tally: Tally::default(),
        active_now: 0,
        pending_now: 0,
        longest_waiting: None,
        stuck_count: 0,
        stuck_now: Vec::new(),
        head: (116, "abc".into()),
    }
}

fn who(user: &str) -> AccountId {
    AccountId::new(format!("slack:T1/{user}")).unwrap()
}

fn staging() -> ResourceName {
    ResourceName::new("staging-ssh").unwrap()
}

fn of(user: &str) -> Access {
    Access {
        resource: Some(staging()),
        of: Some(who(user)),
    }
}

fn grant() -> GrantId {
    RequestId::from_bits(3).grant()
}

#[test]
fn an_empty_day_is_two_lines_and_the_head() {
    assert_eq!(
        digest(&quiet_day()).flat(),
        "📋 Access digest\n\
         From 2027-01-15 08:00 UTC to 2027-01-16 08:00 UTC: nothing happened.\n\
         Now: 0 live, 0 waiting for a decision. ✅ Nothing is stuck.\n\
         To check the record later: jitbot audit verify --db <database> --head 116:abc"
    );
}

#[test]
fn what_needs_somebody_comes_first_then_numbers_then_who() {
    fn one<K: Ord>(key: K) -> BTreeMap<K, i64> {
        BTreeMap::from([(key, 1)])
    }
    let day = Digest {
        tally: Tally {
            requested: 101,
            approved_by_people: 102,
            approved_by_rule: 103,
            denied: 104,
            refused: 105,
            expired: 106,
            withdrawn: 107,
            issued: 108,
            failed: 109,
            cancelled: 110,
            ended: 111,
            told_only: 112,
            overruns: 113,
            seen_late: 114,
            longest_overrun: Some(Overrun {
                late_s: 115,
                grant: grant(),
                about: of("U1"),
            }),
            given_back: 117,
            revoked: 118,
            left: 121,
            cancelled_requests: 122,
            pointless: 125,
            extended: 123,
            not_extended: 124,
            asked: BTreeMap::from([((who("U1"), staging()), 2), ((who("U2"), staging()), 3)]),
            first_time: one((who("U2"), staging())),
            approvals: BTreeMap::from([
                ((ApprovedBy::Person(who("U3")), of("U1")), 1),
                (
                    (
                        ApprovedBy::Rule("resource.x.auto_approve[0]".into()),
                        of("U2"),
                    ),
                    4,
                ),
            ]),
            denials: one((Some(who("U3")), of("U2"))),
            undecided: one(of("U1")),
            tries: one(Try {
                by: Some(who("U9")),
                tried: "approve".into(),
                refusal: "own_request".into(),
                about: of("U9"),
            }),
            early: vec![
                EarlyEnd {
                    by: Some(who("U1")),
                    reason: EndingReason::Done,
                    about: of("U1"),
                    why: None,
                },
                EarlyEnd {
                    by: Some(who("U4")),
                    reason: EndingReason::Revoked,
                    about: of("U2"),
                    why: Some(format!("wrong host{}", " and more".repeat(30))),
                },
            ],
            removed: Some(RemovedEntries {
                count: 126,
                first_at: at(-172_800),
                last_at: at(-86_400),
            }),
            erased: (1..6).map(|n| (who(&format!("U{n}")), 126 + n)).collect(),
        },
        active_now: 119,
        pending_now: 120,
        longest_waiting: Some(Waiting {
            request: RequestId::from_bits(4),
            resource: staging(),
            of: who("U1"),
            for_s: 2 * 86_400 + 3 * 3_600 + 59,
        }),
        stuck_count: 500,
        stuck_now: vec![(grant(), staging(), who("U1"), at(60)); 20],
        ..quiet_day()
    };
    let said = digest(&day).flat();
    let expected = "📋 Access digest\n\
         From 2027-01-15 08:00 UTC to 2027-01-16 08:00 UTC:\n\
         ⚠️ 500 can't be taken away:\n\
         STUCK- and 494 more\n\
         ⚠️ 113 seen to be over later than due, by 115 s at most: g3000000000, staging-ssh of U1. Of 114 only the evidence was late: the target itself had ended them in time.\n\
         ⚠️ 112 only told to the target, which can't be asked whether they are gone.\n\
         - Now: 119 live, 120 waiting for a decision, the longest for 2d 3h: r4000000000, staging-ssh of U1.\n\
         - Decisions: 102 approved by people, 103 approved by a rule, 104 denied, 106 ran out.\n\
         - Requests: 101 made, 107 withdrawn, 105 tries refused, 122 cancelled because who asked left, 125 cancelled because the access had ended.\n\
         - Access: 108 given, 109 could not be given, 110 cancelled before, 111 ended, 117 given back early, 118 revoked, 123 given more time, 124 could not be given more time, 121 ended because their holder left.\n\
         - Record: 126 old entries were removed, from 2027-01-13 08:00 UTC to 2027-01-14 08:00 UTC; the operator erased 127 texts about U1, 128 texts about U2, 129 texts about U3, and texts about 2 more accounts.\n\
         Approved by\n\
         - Rule resource.x.auto_approve[0]: staging-ssh of U2 × 4\n\
         - U3: staging-ssh of U1\n\
         Denied by\n\
         - U3: staging-ssh of U2\n\
         Nobody decided\n\
         - staging-ssh of U1\n\
         Ended early by\n\
         - U1 gave back staging-ssh\n\
         - U4 revoked staging-ssh of U2 (“wrong host and more and more and more and more and more and…”)\n\
         - and 233 more\n\
         Tried what they may not\n\
         - U9: tried to approve staging-ssh of U9 (it was their own request)\n\
         Asked\n\
         - U2: staging-ssh × 3\n\
         - U1: staging-ssh × 2\n\
         Asked for the first time\n\
         - U2: staging-ssh\n\
         To check the record later: jitbot audit verify --db <database> --head 116:abc";
    let stuck = "- g3000000000 on staging-ssh of U1 since 2027-01-15 08:01 UTC\n".repeat(6);
    assert_eq!(said, expected.replace("STUCK", &stuck));
}

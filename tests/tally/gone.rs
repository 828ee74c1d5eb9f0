//! What is no longer in the record.

use jitbot::domain::audit::Head;
use jitbot::domain::audit_verify::RemovedEntries;
use jitbot::domain::erasure::{self, PersonalRows};
use jitbot::domain::ids::AccountId;
use jitbot::domain::segment::OldSegment;
use jitbot::domain::spec::ContentHash;

use super::{case, entry, tally};

#[test]
fn what_is_no_longer_in_the_record_is_counted() {
    let gone = |from, to, first_at, last_at| {
        let old = OldSegment {
            from,
            to: Head {
                count: to,
                hash: ContentHash::of(b"x"),
            },
            prev: ContentHash::of(b"y"),
            first_at: case::at(first_at),
            last_at: case::at(last_at),
            needed_by: None,
        };
        entry(old.removed(None, 100).told(serde_json::Map::new()))
    };
    let who = AccountId::new("slack:T1/U1").unwrap();
    let erased = |texts: &[i64]| entry(erasure::told(&who, texts, &PersonalRows::default()));
    let counted = tally(&[
        gone(5, 9, 1, 2),
        gone(10, 10, 3, 4),
        erased(&[11, 12]),
        erased(&[20]),
    ]);
    assert_eq!(
        counted.removed,
        Some(RemovedEntries {
            count: 6,
            first_at: case::at(1),
            last_at: case::at(4),
        })
    );
    assert_eq!(counted.erased.get(&who), Some(&3));
    assert!(!counted.is_empty());
}

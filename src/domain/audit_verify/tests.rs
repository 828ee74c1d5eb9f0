//! What a verifier finds in short records.

use super::*;
use crate::domain::audit::{AuditDraft, AuditKind, append};
use crate::domain::erasure::{self, PersonalRows};
use crate::domain::ids::AccountId;
use crate::domain::segment::OldSegment;
use crate::domain::spec::ContentHash;
use chrono::DateTime;

fn record(n: i64) -> Vec<AuditEntry> {
    let mut head = Head::empty();
    (0..n)
        .map(|i| {
            let draft = AuditDraft::new(AuditKind::Refused)
                .fact("n", i)
                .text("because");
            let at = DateTime::from_timestamp(i, 0).unwrap();
            let entry = append(&head, draft, [i as u8; 16], at);
            head = Head {
                count: entry.seq,
                hash: entry.hash.clone(),
            };
            entry
        })
        .collect()
}

fn verify(entries: &[AuditEntry], head: Option<Head>) -> Result<Head, Broken> {
    let mut verifier = Verifier::new(head);
    for entry in entries {
        verifier.take(entry)?;
    }
    verifier.finish().map(|verified| verified.head)
}

fn head_of(entries: &[AuditEntry]) -> Head {
    verify(entries, None).unwrap()
}

#[test]
fn an_untouched_record_verifies_and_its_head_reads_back() {
    let entries = record(5);
    let head = head_of(&entries);
    assert_eq!(head.to_string().parse(), Ok(head.clone()));
    assert_eq!(verify(&entries, Some(head.clone())), Ok(head));
}

/// The record goes on by this.
fn goes_on(entries: &mut Vec<AuditEntry>, draft: AuditDraft) {
    let days = entries.last().map_or(0, |last| last.seq * 30);
    goes_on_at(entries, draft, days);
}

/// After so many days.
fn goes_on_at(entries: &mut Vec<AuditEntry>, draft: AuditDraft, days: i64) {
    let head = entries.last().map_or_else(Head::empty, |last| Head {
        count: last.seq,
        hash: last.hash.clone(),
    });
    let at = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(days);
    entries.push(append(&head, draft, [9; 16], at));
}

fn erased(texts: &[i64]) -> AuditDraft {
    let of = AccountId::new("slack:T1/U1").unwrap();
    erasure::told(&of, texts, &PersonalRows::default())
}

#[test]
fn a_text_can_be_erased_on_record_but_not_changed() {
    let mut entries = record(3);
    goes_on(&mut entries, erased(&[2]));
    let head = Some(head_of_chain(&entries));
    assert_eq!(
        verify(&entries, head.clone()),
        Err(Broken::Entry {
            seq: 4,
            what: "it tells that a text was erased that is there, or never was"
        })
    );
    entries[1].text = None;
    let mut verifier = Verifier::new(head.clone());
    entries.iter().for_each(|it| verifier.take(it).unwrap());
    let verified = verifier.finish().unwrap();
    assert_eq!((Some(verified.head), verified.erased), (head, (1, 1)));
    entries[2].text.as_mut().unwrap().text = "another reason".into();
    assert!(matches!(
        verify(&entries, None),
        Err(Broken::Entry { seq: 3, .. })
    ));
}

#[test]
fn a_text_that_nobody_erased_on_record_is_missed() {
    let mut entries = record(3);
    entries[0].text = None;
    assert_eq!(verify(&entries, None), Err(Broken::TextGone { seq: 1 }));
    // Nor does it help that another was, or the same one before it was there.
    entries[1].text = None;
    goes_on(&mut entries, erased(&[2]));
    assert_eq!(verify(&entries, None), Err(Broken::TextGone { seq: 1 }));
    let mut entries = Vec::new();
    goes_on(&mut entries, erased(&[2]));
    assert!(matches!(
        verify(&entries, None),
        Err(Broken::Entry { seq: 1, .. })
    ));
}

/// The record without its first entries, and what is kept of them.
fn removed(entries: &mut Vec<AuditEntry>, segments: &mut Vec<Segment>, count: usize) {
    let segment = a_segment(entries, segments, count);
    goes_on(entries, segment.told(serde_json::Map::new()));
    entries.drain(..count);
    segments.push(segment);
}

/// What would be kept of the first entries.
fn a_segment(entries: &[AuditEntry], segments: &[Segment], count: usize) -> Segment {
    let at = |entry: &AuditEntry| entry.at().unwrap();
    let (first, last) = (&entries[0], &entries[count - 1]);
    let old = OldSegment {
        from: first.seq,
        to: Head {
            count: last.seq,
            hash: last.hash.clone(),
        },
        prev: first.prev.clone(),
        first_at: at(first),
        last_at: at(last),
        needed_by: None,
    };
    let entry = entries.last().unwrap().seq + 1;
    old.removed(segments.last(), entry)
}

fn verify_after(
    segments: &[Segment],
    entries: &[AuditEntry],
    head: Option<Head>,
) -> Result<Verified, Broken> {
    let mut verifier = Verifier::after(segments, head)?;
    for entry in entries {
        verifier.take(entry)?;
    }
    verifier.finish()
}

/// Three segments gone: 1 to 3, 4 to 6, and 7 to 12 with the entries that told of the first two.
fn three_removed() -> (Vec<Segment>, Vec<AuditEntry>) {
    let (mut entries, mut segments) = (record(10), Vec::new());
    removed(&mut entries, &mut segments, 3);
    removed(&mut entries, &mut segments, 3);
    goes_on(&mut entries, AuditDraft::new(AuditKind::Refused));
    removed(&mut entries, &mut segments, 6);
    (segments, entries)
}

#[test]
fn segments_that_were_removed_on_record_are_vouched_for_by_what_is_there() {
    let (segments, entries) = three_removed();
    let head = head_of_chain(&entries);
    let verified = verify_after(&segments, &entries, Some(head.clone())).unwrap();
    assert_eq!(verified.head, head);
    assert_eq!(verified.removed.map(|it| it.count), Some(12));
    for segment in &segments {
        let kept = Some(segment.to.clone());
        assert!(verify_after(&segments, &entries, kept).is_ok());
        let other = Head {
            count: segment.to.count,
            hash: ContentHash::of(b"another"),
        };
        assert_eq!(
            verify_after(&segments, &entries, Some(other)),
            Err(Broken::Rewritten {
                seq: segment.to.count
            })
        );
    }
    let inside = Head {
        count: 5,
        hash: ContentHash::of(b"of the entry that was there"),
    };
    assert_eq!(
        verify_after(&segments, &entries, Some(inside)),
        Err(Broken::HeadRemoved {
            seq: 5,
            from: 4,
            to: 6
        })
    );
}

#[test]
fn a_removal_that_is_not_on_record_is_found() {
    let (segments, entries) = three_removed();
    let (mut kept, more) = (segments.clone(), &entries[1..]);
    // More is gone than what the segments say.
    assert!(verify_after(&kept, more, None).is_err());
    // A true head of more, of which no entry tells.
    let mut all = entries.clone();
    removed(&mut all, &mut kept, 1);
    all.pop();
    assert!(matches!(
        verify_after(&kept, &all, None),
        Err(Broken::Segment { .. })
    ));
    // One in the middle, or the first, is forgotten or changed; even where its seal is made to fit.
    for place in 0..segments.len() {
        let mut fewer = segments.clone();
        fewer.remove(place);
        assert!(verify_after(&fewer, &entries, None).is_err());
        let mut changed = segments.clone();
        changed[place].first_at += chrono::TimeDelta::milliseconds(1);
        assert!(verify_after(&changed, &entries, None).is_err());
        for at in place..segments.len() {
            let before = at.checked_sub(1).map(|at| changed[at].clone());
            changed[at].seal = changed[at].sealed(before.as_ref());
        }
        assert!(verify_after(&changed, &entries, None).is_err());
    }
}

/// Somebody who can write the database writes all of it so that it fits, but for the moments.
#[test]
fn what_is_young_can_not_be_removed_on_record() {
    let young = |days: i64, said: &dyn Fn(&mut Segment)| {
        let (mut entries, mut segments) = (record(3), Vec::new());
        goes_on_at(&mut entries, AuditDraft::new(AuditKind::Refused), 100);
        let mut segment = a_segment(&entries, &segments, 4);
        said(&mut segment);
        segment.seal = segment.sealed(None);
        goes_on_at(&mut entries, segment.told(serde_json::Map::new()), days);
        entries.drain(..4);
        segments.push(segment);
        verify_after(&segments, &entries, None)
    };
    assert!(matches!(
        young(129, &|_| ()),
        Err(Broken::Entry { seq: 5, what }) if what.contains("younger")
    ));
    let fits = young(130, &|_| ()).unwrap();
    assert_eq!(
        fits.begins,
        Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(130))
    );
    // An invented moment lets it pass, and then there is a gap before the first that is there: it is said.
    let long_ago = DateTime::from_timestamp(60, 0).unwrap();
    let gap = young(101, &|segment| segment.last_at = long_ago).unwrap();
    assert_eq!(gap.removed.map(|it| it.last_at), Some(long_ago));
    assert_eq!(
        gap.begins,
        Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(101))
    );
}

#[test]
fn moments_of_what_was_removed_and_of_what_is_there_rise() {
    let twice = |said: &dyn Fn(&mut Segment)| {
        let (mut entries, mut segments) = (record(10), Vec::new());
        removed(&mut entries, &mut segments, 3);
        let mut segment = a_segment(&entries, &segments, 3);
        said(&mut segment);
        segment.seal = segment.sealed(segments.last());
        goes_on(&mut entries, segment.told(serde_json::Map::new()));
        entries.drain(..3);
        segments.push(segment);
        verify_after(&segments, &entries, None)
    };
    let second = |s| DateTime::from_timestamp(s, 0).unwrap();
    assert!(twice(&|_| ()).is_ok());
    for (first_at, last_at) in [(1, 5), (4, 3)] {
        let found = twice(&|segment: &mut Segment| {
            (segment.first_at, segment.last_at) = (second(first_at), second(last_at));
        });
        assert!(
            matches!(found, Err(Broken::Segment { from: 4, what, .. }) if what.contains("moments")),
            "{first_at} to {last_at}: {found:?}"
        );
    }
    // The seventh entry was made at second 6.
    let found = twice(&|segment: &mut Segment| segment.last_at = second(7));
    assert!(
        matches!(found, Err(Broken::Entry { seq: 7, what }) if what.contains("older")),
        "{found:?}"
    );
}

fn head_of_chain(entries: &[AuditEntry]) -> Head {
    let last = entries.last().unwrap();
    Head {
        count: last.seq,
        hash: last.hash.clone(),
    }
}

#[test]
fn the_first_entry_that_does_not_fit_is_named() {
    let mut entries = record(5);
    entries[2].body = entries[2].body.replace("\"n\":2", "\"n\":7");
    assert!(matches!(
        verify(&entries, None),
        Err(Broken::Entry { seq: 3, .. })
    ));
    let mut entries = record(5);
    entries.remove(1);
    assert!(matches!(
        verify(&entries, None),
        Err(Broken::Entry { seq: 2, .. })
    ));
}

#[test]
fn a_head_shows_a_cut_tail_and_a_rewritten_record() {
    let entries = record(5);
    let head = head_of(&entries);
    assert_eq!(
        verify(&entries[..3], Some(head.clone())),
        Err(Broken::CutOff { have: 3, want: 5 })
    );
    assert!(
        verify(&entries[..3], None).is_ok(),
        "nothing to compare with"
    );
    let mut other = Head::empty();
    let rewritten: Vec<AuditEntry> = (0..5)
        .map(|i| {
            let entry = append(
                &other,
                AuditDraft::new(AuditKind::Refused).fact("n", i * 2),
                [0; 16],
                DateTime::from_timestamp(i, 0).unwrap(),
            );
            other = Head {
                count: entry.seq,
                hash: entry.hash.clone(),
            };
            entry
        })
        .collect();
    assert_eq!(
        verify(&rewritten, Some(head)),
        Err(Broken::Rewritten { seq: 5 })
    );
}

/// What one change does to a text: another character in one place, or none.
fn changed(text: &mut String, place: usize, by: u8) -> bool {
    let mut bytes = std::mem::take(text).into_bytes();
    let there = !bytes.is_empty();
    if there {
        let at = place % bytes.len();
        // Within ASCII, where the samples are, and never the same.
        bytes[at] = (bytes[at] + 1 + by % 127) % 128;
    }
    *text = String::from_utf8(bytes).unwrap();
    there
}

proptest::proptest! {
    #[test]
    fn whatever_single_byte_is_changed_it_is_found(
        which in 0_usize..13, of in 0_usize..100, place in 0_usize..500, by in 0_u8..127, with_head: bool
    ) {
        let (mut segments, mut entries) = three_removed();
        goes_on(&mut entries, erased(&[]));
        let head = with_head.then(|| head_of_chain(&entries));
        assert!(verify_after(&segments, &entries, head.clone()).is_ok());
        let step = i64::from(by) + 1;
        let entry = of % entries.len();
        let entry = &mut entries[entry];
        let segment = of % segments.len();
        let segment = &mut segments[segment];
        let is_other = match which {
            0 => changed(&mut entry.body, place, by),
            1 => changed(&mut entry.prev.0, place, by),
            2 => changed(&mut entry.hash.0, place, by),
            3 => { entry.seq += step; true }
            4 => entry.text.as_mut().is_some_and(|it| changed(&mut it.text, place, by)),
            5 => entry.text.as_mut().is_some_and(|it| changed(&mut it.salt, place, by)),
            6 => { segment.from += step; true }
            7 => { segment.to.count += step; true }
            8 => { segment.entry += step; true }
            9 => { segment.first_at += chrono::TimeDelta::milliseconds(step); true }
            10 => changed(&mut segment.to.hash.0, place, by),
            11 => changed(&mut segment.prev.0, place, by),
            _ => changed(&mut segment.seal.0, place, by),
        };
        proptest::prop_assert_eq!(verify_after(&segments, &entries, head).is_err(), is_other);
    }
}

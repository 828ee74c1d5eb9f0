//! Whether a look at a group is believed.

use std::collections::BTreeSet;

use jitbot::domain::directory::{
    AccountStatus, Belief, DirectoryGroup, GroupTrouble, SeenGroup, believe,
};
use jitbot::domain::ids::{AccountId, DirectoryGroupId};

use crate::case::at;

fn people(range: std::ops::Range<u32>) -> BTreeSet<AccountId> {
    range
        .map(|n| AccountId::new(format!("slack:T1/U{n}")).unwrap())
        .collect()
}

fn id() -> DirectoryGroupId {
    DirectoryGroupId::new("slack:T1/S1").unwrap()
}

/// So many people, looked at when the case begins.
fn group(people_in: u32, trouble: Option<GroupTrouble>) -> DirectoryGroup {
    DirectoryGroup {
        id: id(),
        name: "sre".into(),
        as_of: at(0),
        trouble,
        members: people(0..people_in),
    }
}

fn said(belief: Belief) -> String {
    match belief {
        Belief::Believed { group, left } => {
            let trouble = group.trouble.map_or(String::new(), |trouble| {
                format!(", {trouble:?}").replace(&format!("({:?})", at(600)), " now")
            });
            format!(
                "{} are in, {} left{trouble}",
                group.members.len(),
                left.len()
            )
        }
        Belief::Doubted {
            group,
            first,
            would_leave,
        } => format!(
            "{} held to be in, {would_leave} would leave{}",
            group.members.len(),
            if first { ", first" } else { "" }
        ),
    }
}

#[test]
fn what_cuts_few_is_believed_and_what_cuts_many_is_looked_at_twice() {
    // How many were in, how many still are, what is made of it.
    let rows = [
        (0, 3, "3 are in, 0 left"),
        (3, 4, "4 are in, 0 left"),
        (2, 1, "1 are in, 1 left"),
        (5, 1, "1 are in, 4 left"),
        (6, 1, "6 held to be in, 5 would leave, first"),
        (9, 4, "9 held to be in, 5 would leave, first"),
        // Exactly half is no more than half.
        (10, 5, "5 are in, 5 left"),
        (1_000, 500, "500 are in, 500 left"),
        (1_000, 499, "1000 held to be in, 501 would leave, first"),
        // Nobody left is never an everyday change.
        (1, 0, "1 held to be in, 1 would leave, first"),
        (3, 0, "3 held to be in, 3 would leave, first"),
        (0, 0, "0 are in, 0 left"),
    ];
    for (had, has, expected) in rows {
        let seen = SeenGroup::Members(people(0..has));
        let got = said(believe(
            &id(),
            "sre",
            Some(&group(had, None)),
            seen,
            at(600),
        ));
        assert_eq!(got, expected, "{had} > {has}");
        if has == 0 {
            let got = believe(
                &id(),
                "sre",
                Some(&group(had, None)),
                SeenGroup::Gone,
                at(600),
            );
            assert_eq!(said(got), expected, "{had} > gone");
        }
    }
    // Nothing is known before the first look.
    let first = believe(&id(), "sre", None, SeenGroup::Members(people(0..3)), at(0));
    assert_eq!(said(first), "3 are in, 0 left");
}

#[test]
fn a_doubt_lasts_until_it_was_seen_for_ten_minutes_or_is_over() {
    let doubted = group(6, Some(GroupTrouble::Doubted(at(0))));
    let look = |has: u32, s: i64| {
        let seen = SeenGroup::Members(people(0..has));
        said(believe(&id(), "sre", Some(&doubted), seen, at(s)))
    };
    assert_eq!(look(1, 599), "6 held to be in, 5 would leave");
    assert_eq!(look(1, 600), "1 are in, 5 left");
    assert_eq!(look(6, 300), "6 are in, 0 left");
    assert_eq!(
        look(4, 300),
        "4 are in, 2 left",
        "an everyday change after all"
    );
    assert_eq!(look(0, 599), "6 held to be in, 6 would leave");
    assert_eq!(look(0, 600), "0 are in, 6 left, Emptied now");

    let emptied = group(0, Some(GroupTrouble::Emptied(at(0))));
    let gone = believe(&id(), "sre", Some(&emptied), SeenGroup::Gone, at(900));
    let Belief::Believed { group: stays, .. } = gone else {
        panic!("{gone:?}");
    };
    assert_eq!(stays.trouble, Some(GroupTrouble::Emptied(at(0))));
    let back = believe(
        &id(),
        "sre",
        Some(&emptied),
        SeenGroup::Members(people(0..2)),
        at(900),
    );
    assert_eq!(said(back), "2 are in, 0 left");
}

#[test]
fn a_doubted_group_is_looked_at_and_stays_who_it_was() {
    let before = group(6, None);
    let Belief::Doubted { group, .. } =
        believe(&id(), "renamed", Some(&before), SeenGroup::Gone, at(60))
    else {
        panic!("it is believed");
    };
    assert_eq!(group.members, before.members);
    assert_eq!(group.as_of, at(60), "or it would be due at once for ever");
    assert_eq!(group.trouble, Some(GroupTrouble::Doubted(at(60))));
}

#[test]
fn only_a_member_may_act_and_an_account_that_is_not_found_has_not_left() {
    for status in AccountStatus::ALL {
        assert_eq!(status.may_act(), status == AccountStatus::Member);
        let stays = matches!(status, AccountStatus::Member | AccountStatus::NotFound);
        assert_eq!(status.has_left(), !stays, "{status:?}");
        assert_eq!(AccountStatus::parse(status.as_str()), Some(status));
    }
}

//! What is kept of people and groups, and by whom it is found.

use std::collections::BTreeSet;

use jitbot::domain::directory::{
    AccountStatus, DirectoryGroup, DirectoryHealth, GroupTrouble, KnownAccount,
};
use jitbot::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::ids::{AccountId, DirectoryGroupId};
use jitbot::domain::request::{Request, RequestState};

use crate::round_trips::keep;
use crate::world::{World, account, active, at, person, request, worlds};

fn id(name: &str) -> DirectoryGroupId {
    DirectoryGroupId::new(format!("slack:T1/{name}")).unwrap()
}

fn group(name: &str, members: &[u32]) -> DirectoryGroup {
    DirectoryGroup {
        id: id(name),
        name: format!("the {name}"),
        as_of: at(10),
        trouble: None,
        members: members.iter().map(|n| account(*n)).collect(),
    }
}

async fn keep_group(world: &World, group: &DirectoryGroup) {
    let group = group.clone();
    world
        .write(move |tx| Box::pin(async move { tx.keep_group(&group).await }))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_group_is_read_back_as_it_was_last_kept() {
    for world in worlds().await {
        let first = group("S1", &[1, 2, 3]);
        let changes = [
            first.clone(),
            DirectoryGroup {
                as_of: at(20),
                name: "another name".into(),
                trouble: Some(GroupTrouble::Doubted(at(15))),
                ..group("S1", &[3, 4])
            },
            DirectoryGroup {
                trouble: Some(GroupTrouble::Emptied(at(16))),
                ..group("S1", &[])
            },
            first,
        ];
        keep_group(&world, &group("S2", &[1])).await;
        for change in changes {
            keep_group(&world, &change).await;
            let kept = world.reader().await.directory_group(&id("S1")).await;
            assert_eq!(kept.unwrap(), Some(change));
        }
        let other = world.reader().await.directory_group(&id("S2")).await;
        assert_eq!(other.unwrap(), Some(group("S2", &[1])), "another's stay");
        let none = world.reader().await.directory_group(&id("S3")).await;
        assert_eq!(none.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_known_is_about_those_who_were_asked_for() {
    for world in worlds().await {
        keep_group(&world, &group("S1", &[1, 2])).await;
        let doubted = DirectoryGroup {
            trouble: Some(GroupTrouble::Doubted(at(15))),
            ..group("S2", &[1])
        };
        keep_group(&world, &doubted).await;
        let status = KnownAccount {
            status: AccountStatus::Guest,
            time_zone: None,
            as_of: at(5),
        };
        world
            .write(move |tx| {
                Box::pin(async move {
                    tx.keep_account(&account(1), status).await?;
                    tx.keep_account(&account(2), status).await?;
                    // Somebody needed to know of it; nobody was asked.
                    tx.want_accounts(&[account(3)]).await
                })
            })
            .await
            .unwrap();
        let asked = [account(1), account(3)];
        let known = world.reader().await.known(&asked).await.unwrap();
        assert_eq!(known.about, BTreeSet::from(asked));
        assert_eq!(
            known.accounts.into_iter().collect::<Vec<_>>(),
            [(account(1), status)]
        );
        let seen = |name: &str| &known.groups[&id(name)];
        assert_eq!(seen("S1").members, BTreeSet::from([account(1)]));
        assert_eq!((seen("S1").as_of, seen("S1").in_doubt), (at(10), false));
        assert!(seen("S2").in_doubt);
        let nobody = world.reader().await.known(&[]).await.unwrap();
        assert!(nobody.groups.values().all(|group| group.members.is_empty()));
        assert_eq!(nobody.groups.len(), 2);
    }
}

#[tokio::test]
async fn accounts_keep_when_they_were_asked_for_and_when_they_were_needed() {
    for world in worlds().await {
        let status = |status, s| KnownAccount {
            status,
            time_zone: None,
            as_of: at(s),
        };
        world
            .write(move |tx| {
                Box::pin(async move {
                    tx.want_accounts(&[account(1), account(2)]).await?;
                    tx.keep_account(&account(1), status(AccountStatus::Member, 1))
                        .await
                })
            })
            .await
            .unwrap();
        world.clock.advance(30);
        world
            .write(move |tx| Box::pin(async move { tx.want_accounts(&[account(1)]).await }))
            .await
            .unwrap();
        let rows = world.reader().await.directory_accounts().await.unwrap();
        assert_eq!(
            rows.into_iter().collect::<Vec<_>>(),
            [
                (account(1), (Some(at(1)), at(30))),
                (account(2), (None, at(0)))
            ]
        );
        for word in AccountStatus::ALL {
            world
                .write(move |tx| {
                    Box::pin(async move { tx.keep_account(&account(2), status(word, 2)).await })
                })
                .await
                .unwrap();
            let known = world.reader().await.known(&[account(2)]).await.unwrap();
            assert_eq!(known.accounts[&account(2)], status(word, 2));
        }
    }
}

#[tokio::test]
async fn a_name_means_the_group_that_it_was_last_seen_to_be() {
    for world in worlds().await {
        let named = |name: &str, s| DirectoryGroup {
            name: "sre".into(),
            as_of: at(s),
            ..group(name, &[])
        };
        keep_group(&world, &named("S2", 20)).await;
        keep_group(&world, &named("S1", 30)).await;
        keep_group(&world, &named("S3", 10)).await;
        let pinned = world.reader().await.pinned_groups("slack").await.unwrap();
        assert_eq!(
            pinned.into_iter().collect::<Vec<_>>(),
            [("sre".to_owned(), id("S1"))]
        );
        let other = world.reader().await.pinned_groups("discord").await;
        assert!(other.unwrap().is_empty());
    }
}

#[tokio::test]
async fn holders_are_those_of_what_is_open_or_live() {
    for world in worlds().await {
        let by = |n: u64, requester: u32, beneficiary: u32, state| Request {
            requester: person(requester),
            beneficiary: person(beneficiary),
            state,
            decided_at: (!state.is_open()).then(|| at(5)),
            ..request(n)
        };
        for one in [
            by(1, 1, 2, RequestState::Checking),
            by(2, 3, 3, RequestState::Pending),
            by(3, 4, 4, RequestState::Denied),
        ] {
            world
                .write(move |tx| Box::pin(async move { tx.insert_request(&one).await }))
                .await
                .unwrap();
        }
        // The samples are all of person 1: who holds what is live is found too.
        keep(&world, 10, active).await;
        keep(&world, 11, |grant| Grant {
            state: GrantState::Ended,
            ending: Some(Ending {
                reason: EndingReason::Left,
                by: None,
                at: at(50),
                why: None,
            }),
            ended_at: Some(at(60)),
            evidence: Some(Evidence::SeenGone),
            ..active(grant)
        })
        .await;
        let holders = world.reader().await.holders().await.unwrap();
        let expected: BTreeSet<AccountId> = [1, 2, 3].map(account).into();
        assert_eq!(holders, expected);
    }
}

#[tokio::test]
async fn requests_of_a_state_come_in_the_order_of_their_submission() {
    for world in worlds().await {
        for (n, s) in [(3_u64, 30), (1, 20), (2, 10)] {
            let one = Request {
                state: RequestState::Checking,
                submitted_at: at(s),
                ..request(n)
            };
            world
                .write(move |tx| Box::pin(async move { tx.insert_request(&one).await }))
                .await
                .unwrap();
        }
        let mut reader = world.reader().await;
        let found = async |reader: &mut dyn jitbot::store::Reads, limit| {
            let found = reader.requests_in(RequestState::Checking, limit).await;
            let at_s = |one: &Request| (one.submitted_at - at(0)).num_seconds();
            found.unwrap().iter().map(at_s).collect::<Vec<_>>()
        };
        assert_eq!(found(&mut *reader, 9).await, [10, 20, 30]);
        assert_eq!(found(&mut *reader, 2).await, [10, 20]);
        let pending = reader.requests_in(RequestState::Pending, 9).await.unwrap();
        assert!(pending.is_empty());
    }
}

#[tokio::test]
async fn how_asking_goes_is_kept() {
    for world in worlds().await {
        let fresh = world.reader().await.directory_health("slack").await;
        assert_eq!(fresh.unwrap(), DirectoryHealth::default());
        for health in [
            DirectoryHealth {
                failing_since: Some(at(1)),
                told: true,
                wait_until: Some(at(9)),
            },
            DirectoryHealth::default(),
        ] {
            let kept = health.clone();
            world
                .write(move |tx| {
                    Box::pin(async move { tx.keep_directory_health("slack", &kept).await })
                })
                .await
                .unwrap();
            let read = world.reader().await.directory_health("slack").await;
            assert_eq!(read.unwrap(), health);
        }
    }
}

//! Removing segments and erasing what is personal: what stays, what goes, and that the record holds.

use jitbot::domain::audit::{AuditDraft, AuditEntry, AuditKind, Head};
use jitbot::domain::audit_verify::{Broken, Verified, Verifier};
use jitbot::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantState};
use jitbot::domain::ids::RequestId;
use jitbot::domain::job::JobKind;
use jitbot::domain::request::{Extension, ExtensionState, Request, RequestState};
use jitbot::domain::segment::{KEEP_MIN, NeededBy, OldSegment, Segment};
use jitbot::domain::timing::Timestamp;
use jitbot::store::StoreError;

use crate::world::{World, active, at, grant, order, person, request, worlds};

/// So much is kept in these tests, in seconds: the least that may be.
pub const KEEP_S: i64 = KEEP_MIN.num_seconds();

impl World {
    pub async fn record(&self, draft: AuditDraft) {
        self.write(move |tx| Box::pin(async move { tx.audit(draft).await }))
            .await
            .unwrap();
    }

    /// A digest of everything until now.
    pub async fn seal(&self) -> Head {
        self.write(|tx| {
            Box::pin(async move {
                let head = tx.head().await?;
                let last = tx.last_digest().await?;
                let from = last.as_ref().map_or(0, |mark| mark.to.count);
                // Each has a moment of its own, however many there are at once.
                let after = last.map(|mark| mark.slot + chrono::TimeDelta::seconds(1));
                let slot = after.map_or(tx.now(), |after| after.max(tx.now()));
                tx.insert_digest(slot, from, &head).await?;
                tx.audit(AuditDraft::new(AuditKind::DigestMade)).await?;
                Ok(head)
            })
        })
        .await
        .unwrap()
    }

    fn until(&self) -> Timestamp {
        self.store.now() - chrono::TimeDelta::seconds(KEEP_S)
    }

    async fn oldest(&self) -> Option<OldSegment> {
        let (until, machine_now) = (self.until(), self.store.now());
        let mut reader = self.reader().await;
        reader
            .oldest_segment(until, machine_now, 100)
            .await
            .unwrap()
    }

    async fn needed_by(&self) -> Option<NeededBy> {
        self.oldest().await.expect("an old segment").needed_by
    }

    /// As the daily job does: the oldest one, if there is one that nobody needs.
    pub async fn remove(&self, entries_max: i64) -> bool {
        let until = self.until();
        let removed: Result<bool, StoreError> = self
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.machine_now();
                    let Some(old) = tx.oldest_segment(until, now, entries_max).await? else {
                        return Ok(false);
                    };
                    if old.needed_by.is_some() {
                        return Ok(false);
                    }
                    let before = tx.removed_segments().await?;
                    let entry = tx.head().await?.count + 1;
                    let segment = old.removed(before.last(), entry);
                    tx.remove_segment(&segment, until).await?;
                    tx.audit(segment.told(serde_json::Map::new())).await?;
                    Ok(true)
                })
            })
            .await;
        removed.unwrap()
    }

    pub async fn all(&self) -> (Vec<Segment>, Vec<AuditEntry>) {
        let mut reader = self.reader().await;
        let entries = reader.audit_after(0, 100_000).await.unwrap();
        (reader.removed_segments().await.unwrap(), entries)
    }

    pub async fn verify(&self, head: Option<Head>) -> Result<Verified, Broken> {
        let (segments, entries) = self.all().await;
        let mut verifier = Verifier::after(&segments, head)?;
        for entry in &entries {
            verifier.take(entry)?;
        }
        verifier.finish()
    }

    pub async fn insert(&self, request: &Request, grant: Option<&Grant>) {
        let (request, grant) = (request.clone(), grant.cloned());
        self.write(move |tx| {
            Box::pin(async move {
                tx.insert_request(&request).await?;
                let draft = AuditDraft::new(AuditKind::Requested)
                    .by(&request.requester.account)
                    .request(&request.id)
                    .text(request.reason.as_deref().unwrap_or(""));
                tx.audit(draft).await?;
                if let Some(grant) = grant {
                    tx.insert_grant(&grant).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    async fn is_there(&self, n: u64) -> bool {
        let id = RequestId::from_bits(n);
        self.reader().await.request(&id).await.unwrap().is_some()
    }
}

fn decided(n: u64, state: RequestState, at: Timestamp) -> Request {
    Request {
        state,
        decided_at: Some(at),
        ..request(n)
    }
}

fn ended(request: &Request, ended_at: Timestamp) -> Grant {
    Grant {
        state: GrantState::Ended,
        ending: Some(Ending {
            reason: EndingReason::Deadline,
            by: None,
            at: ended_at,
            why: None,
        }),
        ended_at: Some(ended_at),
        evidence: Some(Evidence::SeenGone),
        native_deadline: Some(at(2_000)),
        ..active(grant(request))
    }
}

#[tokio::test]
async fn only_what_an_old_digest_covers_is_a_segment() {
    for world in worlds().await {
        world.record(AuditDraft::new(AuditKind::Started)).await;
        world.clock.advance(KEEP_S * 2);
        assert_eq!(world.oldest().await, None, "no digest told its head");
        let head = world.seal().await;
        world.clock.advance(KEEP_S - 1);
        assert_eq!(world.oldest().await, None, "the digest is not old enough");
        world.clock.advance(1);
        let oldest = world.oldest().await.unwrap();
        assert_eq!((oldest.from, &oldest.to), (1, &head));
        assert_eq!((oldest.first_at, oldest.last_at), (at(0), at(0)));
        assert!(world.remove(100).await);
        assert!(!world.remove(100).await, "the entry about it is new");
        let verified = world.verify(None).await.unwrap();
        assert_eq!(verified.removed.map(|it| it.count), Some(1));
        assert!(world.verify(Some(head)).await.is_ok());
    }
}

#[tokio::test]
async fn a_long_segment_goes_in_parts_and_each_has_its_head() {
    for mut world in worlds().await {
        for _ in 0..7 {
            world.record(AuditDraft::new(AuditKind::Refused)).await;
        }
        let head = world.seal().await;
        world.clock.advance(KEEP_S);
        for _ in 0..3 {
            assert!(world.remove(3).await);
            world.verify(Some(head.clone())).await.ok();
            world.restart().await;
            world.verify(None).await.unwrap();
        }
        let (segments, _) = world.all().await;
        let ends: Vec<(i64, i64)> = segments.iter().map(|it| (it.from, it.to.count)).collect();
        assert_eq!(ends, [(1, 3), (4, 6), (7, 7)]);
        assert!(world.verify(Some(head)).await.is_ok());
    }
}

#[tokio::test]
async fn a_segment_stays_while_what_it_tells_of_is_not_over_for_long_enough() {
    use RequestState as R;
    // It is looked at when twice that has passed: what was over after it once is over for long enough.
    let (old, late) = (at(KEEP_S), at(KEEP_S + 1));
    let approved = decided(1, R::Approved, old);
    let live = Grant {
        native_deadline: Some(old),
        ..active(grant(&approved))
    };
    let accepted_until = |native| Grant {
        native_deadline: Some(native),
        ..ended(&approved, old)
    };
    // Lists keep what is over a while longer.
    let an_hour_ago = KEEP_S * 2 - 3_600;
    let cases: [(&str, Request, Option<Grant>, bool); 10] = [
        ("denied long ago", decided(1, R::Denied, old), None, false),
        ("denied lately", decided(1, R::Denied, late), None, true),
        ("ran out", decided(1, R::Expired, old), None, false),
        ("waits", request(1), None, true),
        ("active", approved.clone(), Some(live), true),
        (
            "not given yet",
            approved.clone(),
            Some(grant(&approved)),
            true,
        ),
        (
            "ended long ago",
            approved.clone(),
            Some(ended(&approved, old)),
            false,
        ),
        (
            "ended lately",
            approved.clone(),
            Some(ended(&approved, late)),
            true,
        ),
        (
            "a target accepts it",
            approved.clone(),
            Some(accepted_until(at(an_hour_ago + 1))),
            true,
        ),
        (
            "no target accepts it",
            approved.clone(),
            Some(accepted_until(at(an_hour_ago))),
            false,
        ),
    ];
    for (what, request, grant, needed) in cases {
        for world in worlds().await {
            world.insert(&request, grant.as_ref()).await;
            world.seal().await;
            world.clock.advance(KEEP_S * 2);
            let by = needed.then(|| NeededBy::Request(RequestId::from_bits(1)));
            assert_eq!(world.needed_by().await, by, "{what}");
            assert_eq!(world.remove(100).await, !needed, "{what}");
            assert_eq!(world.is_there(1).await, needed, "{what}");
            world.verify(None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_segment_stays_while_a_job_waits_for_what_it_tells() {
    let old = decided(1, RequestState::Denied, at(100));
    let place = crate::world::place();
    let kinds = [
        JobKind::History {
            request: old.id.clone(),
        },
        JobKind::NotifyEnded {
            grant: old.id.grant(),
        },
        JobKind::OnceBack {
            message: Box::new(JobKind::Digest { digest: 1, place }),
        },
    ];
    for kind in kinds {
        for world in worlds().await {
            world.insert(&old, None).await;
            world.seal().await;
            world.clock.advance(KEEP_S * 2);
            let mut waiting = order("waiting", "chat:x");
            waiting.kind = kind.clone();
            world.enqueue(vec![waiting]).await;
            assert_eq!(
                world.needed_by().await,
                Some(NeededBy::Job("waiting".into())),
                "{kind:?}"
            );
            let run = world.claim(1).await;
            assert_eq!(
                world.needed_by().await,
                Some(NeededBy::Job("waiting".into())),
                "runs"
            );
            world
                .settle(run[0].claim(), jitbot::domain::job::Settle::Done)
                .await;
            assert!(world.remove(100).await, "{kind:?}");
        }
    }
}

#[tokio::test]
async fn what_hangs_on_a_request_goes_with_the_last_entry_that_tells_of_it() {
    for world in worlds().await {
        let base = decided(1, RequestState::Approved, at(50));
        world.insert(&base, Some(&ended(&base, at(90)))).await;
        let serial = world
            .reader()
            .await
            .grant(&base.id.grant())
            .await
            .unwrap()
            .unwrap()
            .serial;
        world.seal().await;
        let more = Request {
            extends: Some(Extension {
                grant: base.id.grant(),
                from: at(80),
                state: ExtensionState::NotGiven,
            }),
            requester: person(1),
            ..decided(2, RequestState::Denied, at(60))
        };
        world.insert(&more, None).await;
        world.clock.advance(10);
        world.seal().await;
        world.clock.advance(KEEP_S * 2);
        assert!(world.remove(100).await);
        assert!(world.is_there(1).await, "its extension is told of still");
        assert!(world.remove(100).await);
        assert!(!world.is_there(1).await && !world.is_there(2).await);
        assert_eq!(world.reader().await.grant(&base.id.grant()).await, Ok(None));
        world.verify(None).await.unwrap();
        // A certificate's serial is never given out again.
        let next = request(3);
        world.insert(&next, Some(&grant(&next))).await;
        let grant = world
            .reader()
            .await
            .grant(&next.id.grant())
            .await
            .unwrap()
            .unwrap();
        assert!(grant.serial > serial, "{} after {serial}", grant.serial);
        // Nor a digest's number.
        world.seal().await;
        assert_eq!(
            world
                .reader()
                .await
                .last_digest()
                .await
                .unwrap()
                .unwrap()
                .number,
            3
        );
        assert_eq!(world.reader().await.digest(1).await, Ok(None));
    }
}

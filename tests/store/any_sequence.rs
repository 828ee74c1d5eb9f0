//! Whatever is appended, removed and erased in whatever order: the record verifies, with every head
//! that was told.

use jitbot::domain::audit::{AuditDraft, AuditKind, Head};
use jitbot::domain::audit_verify::Broken;
use proptest::prelude::*;

use crate::removal::KEEP_S;
use crate::world::{account, worlds};

#[derive(Debug, Clone)]
enum Step {
    Append { by: u32, with_text: bool },
    Seal,
    Pass(i64),
    Remove { entries_max: i64 },
    Erase { of: u32 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u32..4, any::<bool>()).prop_map(|(by, with_text)| Step::Append { by, with_text }),
        2 => Just(Step::Seal),
        2 => (1_i64..1_500).prop_map(Step::Pass),
        3 => (1_i64..6).prop_map(|entries_max| Step::Remove { entries_max }),
        2 => (1_u32..4).prop_map(|of| Step::Erase { of }),
        1 => Just(Step::Restart),
    ]
}

async fn walk(steps: Vec<Step>) {
    for mut world in worlds().await {
        let mut told: Vec<Head> = Vec::new();
        for step in &steps {
            match step {
                Step::Append { by, with_text } => {
                    let mut draft = AuditDraft::new(AuditKind::Refused).by(&account(*by));
                    if *with_text {
                        draft = draft.text("words");
                    }
                    world.record(draft).await;
                }
                Step::Seal => told.extend(Some(world.seal().await).filter(|head| head.count > 0)),
                Step::Pass(s) => world.clock.advance(s * KEEP_S / 1_000),
                Step::Remove { entries_max } => {
                    world.remove(*entries_max).await;
                }
                Step::Erase { of } => {
                    world.erase_texts_of(*of).await;
                }
                Step::Restart => world.restart().await,
            }
            let verified = world.verify(None).await;
            assert!(verified.is_ok(), "after {step:?}: {verified:?}");
        }
        let (segments, _) = world.all().await;
        let removed = segments.last().map_or(0, |segment| segment.to.count);
        for head in told {
            // A part of what a digest covers may be gone, not yet its end.
            let found = world.verify(Some(head.clone())).await;
            assert!(found.is_ok(), "{head} with {removed} removed: {found:?}");
            let other = Head {
                count: head.count,
                hash: jitbot::domain::spec::ContentHash::of(b"another"),
            };
            let found = world.verify(Some(other)).await;
            assert_eq!(found, Err(Broken::Rewritten { seq: head.count }));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_record_holds_after_any_sequence(steps in proptest::collection::vec(step(), 1..40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(walk(steps));
    }
}

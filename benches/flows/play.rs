//! People at a fixed rate: each flow begins at its planned moment, however slow the ones before are.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures processes, in real time"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jitbot::sandbox::people::{People, PeopleError, Place};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::bots::Bot;
use super::tally::{Failure, Flow};
use super::target::{Seen, Target};
use super::workspace::part;

/// How long access is held, and how long is waited for what should happen.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// What is asked for, in seconds.
    pub hold_s: u32,
    /// For a card, for access to be given, for its end past the deadline, and for the word of it.
    pub wait: Duration,
}

/// Everybody but the bot.
pub struct Scene {
    /// Which bot.
    pub bot: Bot,
    /// Plays people.
    pub people: People,
    /// Gives and takes access.
    pub target: Target,
    /// How patient everybody is.
    pub patience: Patience,
}

impl Scene {
    /// Plays so many flows, from the number `first` on; returns when the last of them has come to an end.
    pub async fn play(self: &Arc<Self>, first: usize, rate: u32, count: usize) -> Vec<Flow> {
        let begun = Instant::now() + Duration::from_millis(20);
        let mut flows = JoinSet::new();
        for n in 0..count {
            let nth = u32::try_from(n).unwrap_or(u32::MAX);
            let planned = begun + Duration::from_secs(1) * nth / rate;
            tokio::time::sleep_until(planned.into()).await;
            let scene = Arc::clone(self);
            flows.spawn(async move { scene.flow(first + n, planned, begun).await });
        }
        flows.join_all().await
    }

    async fn flow(&self, number: usize, planned: Instant, begun: Instant) -> Flow {
        let mut flow = Flow {
            late_us: micros(planned.elapsed()),
            ..Flow::default()
        };
        flow.failure = self.go_through(number, begun, &mut flow).await.err();
        flow
    }

    async fn go_through(
        &self,
        number: usize,
        begun: Instant,
        flow: &mut Flow,
    ) -> Result<(), Failure> {
        let part = part(number);
        let Patience { hold_s, wait } = self.patience;
        let mut seen = self.target.expect(&part.access);
        let reason = format!("flow-{number:07}");
        let channel = part.channel.as_str();

        let typed = format!("/jit request {} {hold_s}s {reason}", part.access.resource);
        let answer = self.people.command(&part.user, channel, &typed).await;
        let answer = answer.map_err(|error| not_played(&error))?;
        let Some(reference) = self.bot.reference(&answer.visible_text) else {
            complain(&format!("no reference in the answer: {answer:?}"));
            return Err(Failure::NotAnswered);
        };
        flow.answer_us = answer.ack_us;

        let card = self.people.wait_for(&part.approver, channel, &reason, wait);
        let card = card
            .await
            .map_err(|error| missing(&error, Failure::NoCard))?;
        self.target.approved(&part.access);
        let pressed = Instant::now();
        let press = self.people.press_button(&part.approver, &card, "Approve");
        let press = press
            .await
            .map_err(|error| missing(&error, Failure::NoCard))?;
        flow.press_us = press.ack_us;
        if !press.acked {
            return Err(Failure::PressNotAnswered);
        }

        let given = until(&mut seen, wait, |seen| seen.given).await;
        let given = given.ok_or(Failure::NotGiven)?;
        flow.given_after_us = Some(micros(given.saturating_duration_since(pressed)));
        let deadline = given + Duration::from_secs(u64::from(hold_s));
        let patience = deadline.saturating_duration_since(Instant::now()) + wait;
        let gone = until(&mut seen, patience, |seen| seen.gone).await;
        let gone = gone.ok_or(Failure::NotEnded)?;
        let late = micros(gone.saturating_duration_since(deadline));
        let early = micros(deadline.saturating_duration_since(gone));
        flow.lag_us = Some(signed(late) - signed(early));
        flow.ended_at_us = Some(micros(gone.saturating_duration_since(begun)));

        let over = self.bot.over(&reference);
        let told = self.people.wait_for(&part.user, Place::Direct, &over, wait);
        told.await
            .map_err(|error| missing(&error, Failure::NotTold))?;
        // Both bots count from before they call the target, so a bit early is right.
        if seen.borrow().wrong || early > 1_000_000 {
            return Err(Failure::Wrong);
        }
        Ok(())
    }
}

/// Waits until the target has seen it.
async fn until(
    seen: &mut watch::Receiver<Seen>,
    wait: Duration,
    what: impl Fn(&Seen) -> Option<Instant>,
) -> Option<Instant> {
    let saw = seen.wait_for(|seen| what(seen).is_some());
    let seen = tokio::time::timeout(wait, saw).await.ok()?.ok()?;
    what(&seen)
}

/// What a person waited for in vain; anything else is the sandbox's own failure.
fn missing(error: &PeopleError, failure: Failure) -> Failure {
    match error {
        PeopleError::NotSeen { .. } | PeopleError::Impossible(_) => {
            complain(&error.to_string());
            failure
        }
        PeopleError::Unreachable { .. } => not_played(error),
    }
}

fn not_played(error: &PeopleError) -> Failure {
    complain(&error.to_string());
    Failure::NotPlayed
}

/// Says why a flow failed; a few hundred characters are enough to see it.
fn complain(why: &str) {
    let short: String = why.chars().take(400).collect();
    eprintln!("a flow failed: {short}");
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

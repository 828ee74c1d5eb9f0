//! The whole story, played by itself. Every line of the transcript comes from what the chat server,
//! the SSH server or the database answered.

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::TimeDelta;

use super::stage::Stage;
use crate::sandbox::people::SeenMessage;
use crate::sandbox::ssh::login::{LoginOutcome, command_line};

/// Longest that a step may take, in real time.
const STEP: Duration = Duration::from_secs(15);

struct Story<'s> {
    stage: &'s Stage,
    alice: String,
    bob: String,
    carol: String,
    approvals: String,
    security: String,
}

/// Plays the story. Exit 0 only if each step held.
///
/// # Errors
/// Never for a step that did not hold: that is printed, with exit 1.
pub async fn tell(stage: &Stage) -> anyhow::Result<ExitCode> {
    let story = Story {
        stage,
        alice: stage.user("alice")?,
        bob: stage.user("bob")?,
        carol: stage.user("carol")?,
        approvals: "C0APPROVALS".into(),
        security: "C0SECURITY".into(),
    };
    match story.play().await {
        Ok(()) => {
            println!("Every step held.");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            println!("NOT HELD: {error:#}");
            Ok(ExitCode::from(1))
        }
    }
}

fn say(step: &str, what: &str) {
    let indented = what.trim().replace('\n', "\n                     ");
    println!("{step:<20} {indented}");
}

impl Story<'_> {
    async fn play(&self) -> anyhow::Result<()> {
        let started = self.stage.engine_now();
        let reference = self.asked().await.context("asked")?;
        let card = self
            .seen(&self.bob, self.approvals.as_str(), &reference)
            .await?;
        say("card", &card.visible_text);
        self.self_approval_refused(&card)
            .await
            .context("self-approval refused")?;
        self.approved(&card).await.context("approved")?;
        self.logged_in(&reference).await.context("logged in")?;
        self.reminded(&reference).await.context("reminded")?;
        self.ended(&reference).await.context("ended")?;
        self.login_refused().await.context("login refused")?;
        let head = self.digest(started).await.context("digest")?;
        self.verified(&head).await.context("audit verified")
    }

    async fn seen(&self, who: &str, place: &str, needle: &str) -> anyhow::Result<SeenMessage> {
        Ok(self.stage.people.wait_for(who, place, needle, STEP).await?)
    }

    async fn told(&self, who: &str, needle: &str) -> anyhow::Result<SeenMessage> {
        let place = crate::sandbox::people::Place::Direct;
        Ok(self.stage.people.wait_for(who, place, needle, STEP).await?)
    }

    async fn asked(&self) -> anyhow::Result<String> {
        let typed = "/jit request staging-ssh 1h deploy is stuck";
        let answer = self
            .stage
            .people
            .command(&self.alice, self.approvals.as_str(), typed)
            .await?;
        ensure!(answer.acked, "Slack showed alice that /jit failed");
        let text = answer.visible_text.clone();
        say(
            "asked",
            &format!("alice typed: {typed}\nalice was answered: {text}"),
        );
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .find(|word| crate::domain::ids::RequestId::new(*word).is_ok())
            .map(str::to_owned)
            .with_context(|| format!("the answer names no request: {text}"))
    }

    async fn press(&self, who: &str, card: &SeenMessage, label: &str) -> anyhow::Result<()> {
        let button = card
            .buttons
            .iter()
            .find(|button| button.text.contains(label))
            .with_context(|| format!("the card has no button {label}"))?;
        let pressed = self
            .stage
            .people
            .press(who, self.approvals.as_str(), &card.ts, &button.action_id)
            .await?;
        ensure!(pressed.acked, "Slack showed that the press failed");
        Ok(())
    }

    async fn self_approval_refused(&self, card: &SeenMessage) -> anyhow::Result<()> {
        self.press(&self.alice, card, "Approve").await?;
        let seen = self
            .seen(&self.alice, self.approvals.as_str(), "Nobody approves")
            .await?;
        ensure!(seen.ephemeral, "others saw the refusal too");
        say(
            "self-approval",
            &format!("alice pressed Approve and alone saw: {}", seen.visible_text),
        );
        Ok(())
    }

    async fn approved(&self, card: &SeenMessage) -> anyhow::Result<()> {
        self.press(&self.bob, card, "Approve").await?;
        let told = self.told(&self.alice, "Approved by").await?;
        say(
            "approved",
            &format!("bob pressed Approve; alice was told: {}", told.visible_text),
        );
        Ok(())
    }

    async fn logged_in(&self, reference: &str) -> anyhow::Result<()> {
        self.told(&self.alice, "-cert-v01@openssh.com").await?;
        let kept = self.stage.keep_certificates("alice").await?;
        ensure!(
            kept.here,
            "the message holds no certificate for this server"
        );
        let login = self.stage.login("alice");
        say(
            "ready",
            &format!("{reference} works now: {}", command_line(&login)),
        );
        match self.stage.try_login("alice").await {
            LoginOutcome::Accepted { stdout } => {
                say(
                    "logged in",
                    &format!("the SSH server let alice in and said: {stdout}"),
                );
                Ok(())
            }
            LoginOutcome::Refused { said } => bail!("the SSH server refused alice: {said}"),
            LoginOutcome::Unreachable { said } => bail!("the SSH server can't be reached: {said}"),
        }
    }

    async fn reminded(&self, reference: &str) -> anyhow::Result<()> {
        self.stage.set_clock_ahead(TimeDelta::minutes(51)).await?;
        let told = self.told(&self.alice, "Ends soon").await?;
        ensure!(
            told.visible_text.contains(reference),
            "it names another request"
        );
        say(
            "reminded",
            &format!("51 minutes later alice was told: {}", told.visible_text),
        );
        Ok(())
    }

    async fn ended(&self, reference: &str) -> anyhow::Result<()> {
        self.stage
            .set_clock_ahead(TimeDelta::minutes(60) + TimeDelta::seconds(5))
            .await?;
        let told = self.told(&self.alice, "is over").await?;
        ensure!(
            told.visible_text.contains(reference),
            "it names another request"
        );
        say(
            "ended",
            &format!("after an hour alice was told: {}", told.visible_text),
        );
        let evidence = self.audited("ended", "evidence").await?;
        let by = match evidence.as_str() {
            "seen_gone" => "by the revocation list, which the SSH server's file was seen to hold",
            "expired_at_target" => "by the certificate's own end",
            other => bail!("the record's evidence of the end is {other:?}"),
        };
        say(
            "evidence",
            &format!("the record says {evidence}: the access ended {by}"),
        );
        Ok(())
    }

    async fn login_refused(&self) -> anyhow::Result<()> {
        match self.stage.try_login("alice").await {
            LoginOutcome::Refused { said } => {
                say("login refused", &format!("the SSH server said: {said}"));
                Ok(())
            }
            LoginOutcome::Accepted { .. } => bail!("the SSH server still lets alice in"),
            LoginOutcome::Unreachable { said } => bail!("the SSH server can't be reached: {said}"),
        }
    }

    async fn digest(&self, started: crate::domain::timing::Timestamp) -> anyhow::Result<String> {
        let due = self
            .stage
            .config
            .security
            .digest
            .next_after(self.stage.engine_now())
            .context("the config has no next digest")?;
        let ahead = due - crate::clock::machine_now() + TimeDelta::seconds(5);
        ensure!(due > started, "the digest is due in the past");
        self.stage.set_clock_ahead(ahead).await?;
        let seen = self
            .seen(&self.carol, self.security.as_str(), "audit verify")
            .await?;
        say(
            "digest",
            &format!("carol of security reads: {}", seen.visible_text),
        );
        seen.visible_text
            .split(|c: char| c.is_whitespace() || c == '`')
            .find(|word| word.parse::<crate::domain::audit::Head>().is_ok())
            .map(str::to_owned)
            .context("the digest names no head")
    }

    async fn verified(&self, head: &str) -> anyhow::Result<()> {
        let said = self.audit(&["verify", "--head", head]).await?;
        ensure!(said.starts_with("verified"), "the record says: {said}");
        say("audit verified", &said);
        Ok(())
    }

    /// A fact of the newest entry of this kind, from the record as it lies in the database.
    async fn audited(&self, kind: &str, fact: &str) -> anyhow::Result<String> {
        let exported = self.audit(&["export"]).await?;
        exported
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .rfind(|line| line["entry"]["kind"] == kind)
            .and_then(|line| line["entry"]["facts"][fact].as_str().map(str::to_owned))
            .with_context(|| format!("the record has no {kind} with {fact}"))
    }

    async fn audit(&self, args: &[&str]) -> anyhow::Result<String> {
        let (verb, rest) = args.split_first().context("no verb")?;
        let run = tokio::process::Command::new(std::env::current_exe()?)
            .arg("audit")
            .arg(verb)
            .arg("--db")
            .arg(self.stage.paths.database())
            .args(rest)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(STEP, run)
            .await
            .context("it took too long")??;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        ensure!(
            output.status.success(),
            "jitbot audit said: {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }
}

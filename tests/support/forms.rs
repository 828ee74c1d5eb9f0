//! Forms, as people fill them in.

use std::collections::BTreeMap;
use std::time::Duration;

use jitbot::sandbox::people::{SeenMessage, SeenView, SubmitAnswer};

use super::{APPROVALS, World, id_of};

const OPENS_WITHIN: Duration = Duration::from_secs(5);

impl World {
    /// The form that stands open for this person, whose text holds this.
    pub async fn form(&self, who: &str, needle: &str) -> SeenView {
        self.here
            .people
            .wait_for_view(id_of(who), needle, OPENS_WITHIN)
            .await
            .unwrap()
    }

    /// Types a command that opens a form.
    pub async fn opens(&self, who: &str, typed: &str, needle: &str) -> SeenView {
        let answer = self
            .here
            .people
            .command(id_of(who), APPROVALS, typed)
            .await
            .unwrap();
        assert!(answer.acked, "{typed}: {answer:?}");
        assert_eq!(answer.visible_text, "", "the form is answer enough");
        self.form(who, needle).await
    }

    /// Fills in the form that stands open and sends it.
    pub async fn fills_in(&self, who: &str, values: &[(&str, &str)]) -> SubmitAnswer {
        let answer = self
            .here
            .people
            .submit_view(id_of(who), values)
            .await
            .unwrap();
        assert!(answer.acked, "{answer:?}");
        self.settle().await;
        answer
    }

    /// What a form that was sent shows beside its fields.
    pub async fn refused_at(&self, who: &str, values: &[(&str, &str)]) -> BTreeMap<String, String> {
        let answer = self.fills_in(who, values).await;
        assert_eq!(answer.action.as_deref(), Some("errors"), "{answer:?}");
        answer.errors
    }

    /// Sends a form that is taken.
    pub async fn sends(&self, who: &str, values: &[(&str, &str)]) {
        let answer = self.fills_in(who, values).await;
        assert_eq!(answer.action.as_deref(), Some("closed"), "{answer:?}");
    }

    /// Denies on the card, and says why.
    pub async fn denies(&self, who: &str, request: &str, why: &str) {
        self.presses(who, "Deny", request).await;
        self.form(who, "Why not?").await;
        self.sends(who, &[("jitbot_reason", why)]).await;
    }

    /// Presses a button of a message that this person was sent.
    pub async fn presses_on(&self, who: &str, message: &SeenMessage, label: &str) {
        let button = message
            .buttons
            .iter()
            .find(|button| button.text.contains(label))
            .unwrap_or_else(|| panic!("no button {label} on: {}", message.visible_text));
        let answer = self
            .here
            .people
            .press_button(id_of(who), message, &button.text)
            .await
            .unwrap();
        assert!(answer.acked, "{who} pressed {label}: {answer:?}");
        self.settle().await;
    }

    /// The newest private message to this person that has this button.
    pub async fn told_with(&self, who: &str, label: &str) -> SeenMessage {
        let messages = self.here.people.direct_messages(id_of(who)).await.unwrap();
        messages
            .into_iter()
            .rev()
            .find(|message| message.buttons.iter().any(|b| b.text.contains(label)))
            .unwrap_or_else(|| panic!("no message to {who} has a button {label}"))
    }
}

//! What people and the record show of a world.

use jitbot::sandbox::people::{Place, SeenMessage};

use super::{APPROVALS, SECURITY, World, id_of};

impl World {
    /// The one card of this request.
    pub async fn card(&self, request: &str) -> SeenMessage {
        let mut cards = self.cards(request).await;
        assert_eq!(cards.len(), 1, "cards of {request}: {cards:#?}");
        cards.remove(0)
    }

    pub async fn cards(&self, request: &str) -> Vec<SeenMessage> {
        let messages = self
            .here
            .people
            .messages("U0CAROL", SECURITY)
            .await
            .map(|_| ())
            .and(self.here.people.messages("U0DANA", APPROVALS).await)
            .unwrap();
        messages
            .into_iter()
            .filter(|message| !message.ephemeral && message.visible_text.contains(request))
            .collect()
    }

    /// Everything that the bot ever told this person privately, oldest first.
    pub async fn told(&self, who: &str) -> Vec<String> {
        self.here
            .people
            .messages(id_of(who), Place::Direct)
            .await
            .unwrap()
            .into_iter()
            .map(|message| message.visible_text)
            .collect()
    }

    /// The newest private message to this person.
    pub async fn last_told(&self, who: &str) -> String {
        self.told(who)
            .await
            .pop()
            .unwrap_or_else(|| panic!("{who} was told nothing"))
    }

    /// What this person alone sees in #approvals, oldest first.
    pub async fn whispers(&self, who: &str) -> Vec<String> {
        self.here
            .people
            .messages(id_of(who), APPROVALS)
            .await
            .unwrap()
            .into_iter()
            .filter(|message| message.ephemeral)
            .map(|message| message.visible_text)
            .collect()
    }

    /// What stands in #security, oldest first.
    pub async fn security_reads(&self) -> Vec<String> {
        self.here
            .people
            .messages("U0CAROL", SECURITY)
            .await
            .unwrap()
            .into_iter()
            .map(|message| message.visible_text)
            .collect()
    }

    /// The bodies of the record's entries.
    pub async fn record(&self) -> Vec<serde_json::Value> {
        let mut reader = self.app.store().reader().await.unwrap();
        reader
            .audit_after(0, 100_000)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| serde_json::from_str(&entry.body).unwrap())
            .collect()
    }

    /// What stands in the thread of this request's card, oldest first.
    pub async fn thread(&self, id: &str) -> Vec<String> {
        let replies = self.card(id).await.replies;
        replies.into_iter().map(|one| one.visible_text).collect()
    }

    /// The kinds of the record's entries about this request.
    pub async fn kinds(&self, request: &str) -> Vec<String> {
        self.record()
            .await
            .into_iter()
            .filter(|body| body["request"] == request)
            .map(|body| body["kind"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl World {
    /// How long until the next digest is due, with a minute to spare.
    pub fn next_digest(&self) -> String {
        use jitbot::clock::Clock as _;
        let schedule =
            jitbot::config::schedule::Schedule::parse("0 9 * * *", chrono_tz::Europe::Berlin)
                .unwrap();
        let now = self.here.clock.now();
        let wait = schedule.next_after(now).unwrap() - now;
        format!("{}s", wait.num_seconds() + 60)
    }
}

//! What others change in the workspace, and people who act before anybody works.

use chrono::TimeDelta;
use jitbot::sandbox::people::{Change, FaultKind};

use super::{APPROVALS, Setup, World, id_of, reference};

impl Setup {
    /// Engineering, sre and oncall are Slack's user groups.
    pub fn with_usergroups() -> Self {
        Self {
            usergroups: true,
            ..Self::default()
        }
    }
}

impl World {
    /// Time passes while nobody works: what was known gets old.
    pub fn nobody_works_for(&self, minutes: i64) {
        self.here.clock.advance(TimeDelta::minutes(minutes));
    }

    /// Types a command; what is due is not done yet.
    pub async fn only_types(&self, who: &str, typed: &str) -> String {
        let answer = self
            .here
            .people
            .command(id_of(who), APPROVALS, typed)
            .await
            .unwrap();
        assert!(answer.acked, "{who}: {typed}: {answer:?}");
        answer.visible_text
    }

    /// The card's button is pressed, and nobody works yet.
    pub async fn presses_only(&self, who: &str, label: &str, request: &str) {
        let card = self.card(request).await;
        let button = card.button(label).unwrap();
        let answer = self
            .here
            .people
            .press(id_of(who), APPROVALS, &card.ts, &button.action_id)
            .await
            .unwrap();
        assert!(answer.acked);
    }

    /// Asks while what is known is too old.
    pub async fn asks_unknown(&self, who: &str, typed: &str) -> String {
        self.nobody_works_for(11);
        let answer = self.only_types(who, typed).await;
        assert!(answer.contains("being checked"), "{answer}");
        reference(&answer).unwrap()
    }

    pub async fn slack_lists(&self, group: &str, people: &[&str]) {
        let users = people.iter().map(|name| id_of(name).to_owned()).collect();
        let group = group.to_owned();
        let change = Change::GroupMembers { group, users };
        self.here.people.change(change).await.unwrap();
    }

    pub async fn slack_fails(&self, method: &str, times: u32, kind: FaultKind) {
        self.here.people.fault(method, times, kind).await.unwrap();
    }

    pub async fn calls_of(&self, method: &str) -> usize {
        let calls = self.here.people.calls().await.unwrap();
        calls.iter().filter(|call| call.method == method).count()
    }

    /// What the last refusal on record was.
    pub async fn last_refusal(&self) -> String {
        let record = self.record().await;
        let refused = record
            .iter()
            .rev()
            .find(|e| e["kind"] == "refused")
            .unwrap();
        refused["facts"]["refusal"].as_str().unwrap().to_owned()
    }
}

impl super::Site {
    /// Posts the same blocks again with the bot's own token; the copy's timestamp.
    pub async fn post_as_bot(
        &self,
        channel: &str,
        card: &jitbot::sandbox::people::SeenMessage,
    ) -> String {
        use http_body_util::{BodyExt as _, Full};
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http::<Full<bytes::Bytes>>();
        let body = serde_json::json!({
            "channel": channel, "text": card.text, "blocks": card.blocks,
        });
        let request =
            axum::http::Request::post(format!("http://{}/api/chat.postMessage", self.sandbox.addr))
                .header("content-type", "application/json; charset=utf-8")
                .header("authorization", format!("Bearer {}", self.tokens.0))
                .body(Full::new(bytes::Bytes::from(body.to_string())))
                .unwrap();
        let answer = client.request(request).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        answer["ts"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

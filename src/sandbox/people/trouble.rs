//! Bad networks, administrators, time, and what the sandbox noted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Call, Change, Disconnect, Fault, FaultKind, Log, Mention, People, RawAnswer, Result, millis,
};

impl People {
    /// Stages trouble for the next calls of a method.
    pub async fn fault(&self, method: &str, times: u32, kind: FaultKind) -> Result<()> {
        let _: bool = self
            .post(
                "fault",
                &Fault {
                    method: method.to_owned(),
                    times,
                    kind,
                },
            )
            .await?;
        Ok(())
    }

    /// Takes back what is left of staged trouble; answers for how many calls.
    pub async fn clear_faults(&self) -> Result<u32> {
        self.post("faults/clear", &Value::Null).await
    }

    /// Ends the sockets that are open; answers how many.
    pub async fn disconnect_sockets(&self, how: Disconnect) -> Result<usize> {
        self.post("disconnect", &how).await
    }

    /// How many sockets take envelopes now.
    pub async fn sockets(&self) -> Result<usize> {
        self.get("sockets").await
    }

    /// Sends the last envelope of a kind (`slash_commands`, `interactive`, `events_api`) once more.
    pub async fn redeliver_last(&self, kind: &str) -> Result<RawAnswer> {
        self.post("redeliver", &json!({ "kind": kind })).await
    }

    /// Sends JSON over a socket as it is.
    pub async fn send_raw_envelope(&self, envelope: &Value) -> Result<RawAnswer> {
        self.send_raw_frame(&envelope.to_string()).await
    }

    /// Sends text over a socket as it is.
    pub async fn send_raw_frame(&self, text: &str) -> Result<RawAnswer> {
        self.post("raw", &json!({ "text": text })).await
    }

    /// Sets the sandbox's own clock forward; answers its milliseconds since 1970.
    pub async fn advance_clock(&self, by: Duration) -> Result<u64> {
        self.post("clock", &json!({ "by_ms": millis(by) })).await
    }

    /// Changes the workspace.
    pub async fn change(&self, change: Change) -> Result<()> {
        let _: bool = self.post("change", &change).await?;
        Ok(())
    }

    /// Archives a channel.
    pub async fn archive(&self, channel: &str) -> Result<()> {
        self.change(Change::Archive(channel.to_owned())).await
    }

    /// Deactivates a person.
    pub async fn deactivate(&self, user: &str) -> Result<()> {
        self.change(Change::Deactivate(user.to_owned())).await
    }

    /// Takes the bot out of a channel.
    pub async fn remove_bot(&self, channel: &str) -> Result<()> {
        self.change(Change::RemoveBot(channel.to_owned())).await
    }

    /// Gives a channel another name.
    pub async fn rename_channel(&self, channel: &str, name: &str) -> Result<()> {
        self.change(Change::RenameChannel {
            channel: channel.to_owned(),
            name: name.to_owned(),
        })
        .await
    }

    /// Everything that passed between the app and the sandbox.
    pub async fn log(&self) -> Result<Log> {
        self.get("log").await
    }

    /// Every Web API call so far.
    pub async fn calls(&self) -> Result<Vec<Call>> {
        Ok(self.log().await?.calls)
    }

    /// Every mention in what the app sent, also where nobody is notified.
    pub async fn mentions(&self) -> Result<Vec<Mention>> {
        self.get("mentions").await
    }

    /// Who was notified by a mention in a new message.
    pub async fn pinged(&self) -> Result<Vec<Mention>> {
        Ok(self
            .mentions()
            .await?
            .into_iter()
            .filter(|mention| mention.notified)
            .collect())
    }

    /// Which calls Slack would have refused, with the error, by method.
    pub async fn refused(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in self.calls().await? {
            if let Some(error) = call.refused {
                refused.entry(call.method).or_default().push(error);
            }
        }
        Ok(refused)
    }
}

//! One connection to the small server.

use std::{fs, net::SocketAddr, sync::Arc, time::SystemTime};

use russh::{
    Channel, ChannelId, Pty,
    keys::Certificate,
    server::{self, Auth, ChannelOpenHandle, Handler, Msg, VerifiedPublicKey},
};

use super::{
    Shared,
    krl::Krl,
    verdict::{Accepted, Attempt, Refused, Rules, judge},
};

/// The state of one connection.
pub(super) struct Session {
    shared: Arc<Shared>,
    peer: Option<SocketAddr>,
    accepted: Option<Accepted>,
    terminal: bool,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, peer: Option<SocketAddr>) -> Self {
        Self {
            shared,
            peer,
            accepted: None,
            terminal: false,
        }
    }

    fn log(&self, text: &str) {
        match self.peer {
            Some(peer) => self.shared.log.line(&format!("{peer}: {text}")),
            None => self.shared.log.line(text),
        }
    }

    fn judge(&self, account: &str, certificate: &Certificate) -> Result<Accepted, Refused> {
        let peer = self
            .peer
            .ok_or_else(|| Refused("nobody knows where it comes from".into()))?
            .ip();
        let path = &self.shared.config.krl;
        let unusable = |why: String| {
            Refused(format!(
                "the revocation list {} cannot be used: {why}",
                path.display()
            ))
        };
        let krl = fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let krl = Krl::parse(&krl).map_err(|error| unusable(error.to_string()))?;
        let unix_now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| Refused("the machine's clock stands before 1970".into()))?
            .as_secs();
        let rules = Rules {
            account: &self.shared.config.account,
            authorities: &self.shared.authorities,
            principals: &self.shared.config.principals,
            krl: &krl,
        };
        judge(
            &rules,
            &Attempt {
                account,
                peer,
                certificate,
                unix_now,
            },
        )
    }

    /// Answers a shell or a command: says who is in, and what would have run.
    fn answer(
        &self,
        channel: ChannelId,
        asked: Option<&str>,
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        let Some(accepted) = &self.accepted else {
            return session.channel_failure(channel);
        };
        let account = &self.shared.config.account;
        let mut text = format!(
            "you are in as {account}; certificate {}; principals {}\n",
            accepted.key_id.escape_debug(),
            accepted.principals.join(",").escape_debug()
        );
        match (&accepted.force_command, asked) {
            (Some(forced), _) => {
                text.push_str(&format!(
                    "forced command, not run here: {}\n",
                    forced.escape_debug()
                ));
            }
            (None, Some(asked)) => {
                text.push_str(&format!(
                    "command, not run here: {}\n",
                    asked.escape_debug()
                ));
            }
            (None, None) => {}
        }
        if self.terminal {
            // A terminal in raw mode does not go back to the first column by itself.
            text = text.replace('\n', "\r\n");
        }
        session.channel_success(channel)?;
        session.data(channel, text)?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.log(&format!(
            "refused {user:?}: a plain key opens nothing here, only certificates do"
        ));
        Ok(Auth::reject())
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        certificate: &Certificate,
    ) -> Result<Auth, Self::Error> {
        let (id, serial) = (certificate.key_id(), certificate.serial());
        match self.judge(user, certificate) {
            Ok(accepted) => {
                self.log(&format!(
                    "accepted {user:?} with certificate {id:?} serial {serial}"
                ));
                self.accepted = Some(accepted);
                Ok(Auth::Accept)
            }
            Err(reason) => {
                self.log(&format!(
                    "refused {user:?} with certificate {id:?} serial {serial}: {reason}"
                ));
                Ok(Auth::reject())
            }
        }
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        if self.accepted.as_ref().is_some_and(|accepted| accepted.pty) {
            self.terminal = true;
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        self.answer(channel, None, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        self.answer(channel, Some(&String::from_utf8_lossy(data)), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}

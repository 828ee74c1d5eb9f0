//! The way in: certificates as people save them from their messages, and logins with them.

use anyhow::Context as _;
use ssh_key::{Certificate, PublicKey};

use super::stage::Stage;
use crate::sandbox::ssh::login::{self, Login, LoginOutcome};

/// What a certificate's line begins with, whatever its key.
const KIND: &str = "-cert-v01@openssh.com";

/// Certificates that a person was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whether one of them is for the demo's SSH server; it lies where [`Stage::login`] looks.
    pub here: bool,
    /// Where the others lead, in words for people: no such host runs here.
    pub elsewhere: Vec<String>,
}

/// The lines of certificates in a text, oldest first.
fn certificates(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let lines = words.windows(2).filter(|pair| pair[0].ends_with(KIND));
    lines.map(|pair| pair.join(" ")).collect()
}

impl Stage {
    /// Keeps what a person was sent, as they would save it: the newest certificate for the demo's SSH
    /// server beside their key. Others are told of, for there is no host that they open.
    ///
    /// # Errors
    /// When the chat can't be asked or the file can't be written.
    pub async fn keep_certificates(&self, person: &str) -> anyhow::Result<Kept> {
        let messages = self.people.direct_messages(&self.user(person)?).await?;
        let mut kept = Kept::default();
        let mut newest = None;
        for line in messages
            .iter()
            .flat_map(|message| certificates(&message.visible_text))
        {
            let Ok(certificate) = Certificate::from_openssh(&line) else {
                continue;
            };
            let by = self.authorities.iter().find(|(_, public)| {
                PublicKey::from_openssh(public)
                    .is_ok_and(|public| public.key_data() == certificate.signature_key())
            });
            match by {
                Some((issuer, _)) if issuer.as_str() == self.plot.issuer => newest = Some(line),
                Some((issuer, _)) => {
                    let target = self
                        .config
                        .issuers
                        .get(issuer)
                        .map_or("", |one| one.target());
                    let words = format!(
                        "{person} also holds a certificate for {target} (issuer {issuer}). No such host runs here, so it can't be tried: the demo's SSH server is one of {}.",
                        self.here()
                    );
                    if !kept.elsewhere.contains(&words) {
                        kept.elsewhere.push(words);
                    }
                }
                None => {}
            }
        }
        if let Some(line) = newest {
            kept.here = true;
            let path = self.certificate(person);
            let text = line + "\n";
            // An ssh that starts right now reads the file whole, the old one or the new.
            if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                let beside = path.with_extension("new");
                std::fs::write(&beside, text)
                    .and_then(|()| std::fs::rename(&beside, &path))
                    .with_context(|| format!("{} can't be written", path.display()))?;
            }
        }
        Ok(kept)
    }

    /// What the demo's SSH server is a host of, in words for people.
    pub fn here(&self) -> String {
        let issuer = self
            .config
            .issuers
            .iter()
            .find(|(name, _)| name.as_str() == self.plot.issuer);
        issuer.map_or_else(
            || self.plot.issuer.clone(),
            |(_, one)| one.target().to_owned(),
        )
    }

    fn certificate(&self, person: &str) -> std::path::PathBuf {
        self.paths.file(&format!("{person}-cert.pub"))
    }

    /// The login of a person with the certificate that they were sent.
    pub fn login(&self, person: &str) -> Login {
        Login {
            user: self.target.account().to_owned(),
            addr: self.target.addr(),
            key: self.paths.key(person),
            certificate: self.certificate(person),
            known_hosts: self.target.known_hosts().to_owned(),
            command: Some("echo it works".into()),
            source: None,
            client: login::best(),
        }
    }

    /// Tries it.
    pub async fn try_login(&self, person: &str) -> LoginOutcome {
        login::attempt(self.login(person)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_found_in_any_message() {
        let text = "Ready\nSave it:\nssh-ed25519-cert-v01@openssh.com AAAA g1\n(ecdsa-sha2-nistp256-cert-v01@openssh.com BBBB) -cert-v01@openssh.com";
        let found = certificates(text);
        assert_eq!(found[0], "ssh-ed25519-cert-v01@openssh.com AAAA");
        assert_eq!(found.len(), 2);
        assert!(certificates("nothing here").is_empty());
    }
}

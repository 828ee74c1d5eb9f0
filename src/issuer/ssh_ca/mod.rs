//! SSH certificates out of a CA of ours, and the list of those that ended early.
//!
//! A certificate holds its own deadline, and sshd enforces it: access ends though we are dead. An
//! early end needs the hosts: they refuse by key id, which is the grant's id, so a certificate whose
//! mint was never recorded is covered too, and so is one of a key before the present one. `docs/ISSUER-SSH-CA.md` is the operator's view.

pub mod certificate;
pub mod desk;
pub mod file;
mod hand_out;
pub mod krl;
pub mod list;
pub mod parameters;
pub mod push;
pub mod settings;
mod validity;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use self::certificate::{Ca, Minting};
use self::desk::Desk;
use self::file::KrlFile;
use self::hand_out::{Again, Last, on_file, within_limit};
use self::parameters::Parameters;
use self::push::Push;
use self::validity::{has_ended_natively, validity};
use crate::clock::Clock;
use crate::domain::binding::SIGNS_WITH;
use crate::domain::grant::Evidence;
use crate::domain::ids::IssuerName;
use crate::domain::spec::TargetAccount;
use crate::issuer::{
    Capabilities, EarlyEnd, EndedGrants, GrantOrder, IssueError, Issued, Issuer, NativeExpiry,
    Observed, PersonFacts, Presence,
};

pub use self::settings::{Hosts, Settings, SetupError};

/// How far a host's clock may be from ours: certificates are valid from that long ago, and stay on
/// the list that long after their deadline.
pub const CLOCK_SKEW_S: i64 = 60;

#[derive(Debug)]
enum Way {
    File(Arc<KrlFile>),
    Push(Push),
    Desk(Arc<Desk>),
    None,
}

/// The `ssh-ca` issuer.
pub struct SshCa {
    name: IssuerName,
    target: String,
    ca: Ca,
    way: Way,
    ended: Arc<dyn EndedGrants>,
    clock: Arc<dyn Clock>,
    /// Held while a list is made and handed out, so that a list is never overtaken by one made from
    /// older facts. Shared with the instance whose settings were replaced by these, so that its last
    /// calls don't overtake either.
    last: Arc<Mutex<Last>>,
}

impl std::fmt::Debug for SshCa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshCa")
            .field("name", &self.name)
            .field("ca", &self.ca)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl SshCa {
    /// Makes an issuer instance. Touches nothing yet.
    ///
    /// # Errors
    /// [`SetupError`] when the CA's key or the way to the hosts can't be used.
    pub fn new(
        settings: Settings,
        ended: Arc<dyn EndedGrants>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let Settings {
            name,
            ca_key,
            hosts,
            target,
        } = settings;
        let ca = Ca::from_openssh(&ca_key).map_err(|why| SetupError::CaKey {
            issuer: name.clone(),
            why,
        })?;
        let wrong = |what: String| SetupError::Hosts {
            issuer: name.clone(),
            what,
        };
        let way = match hosts {
            Hosts::Path(path) if path.is_absolute() && path.file_name().is_some() => {
                Way::File(Arc::new(KrlFile::new(path, list::comment(&name))))
            }
            Hosts::Path(path) => {
                return Err(wrong(format!(
                    "krl.path must be a file's absolute path, as sshd_config needs it too; it is {}",
                    path.display()
                )));
            }
            Hosts::Push(push) => {
                push.check_settings().map_err(wrong)?;
                Way::Push(push)
            }
            Hosts::Fetch { hosts, former } => {
                Way::Desk(Arc::new(Desk::new(&hosts, &former).map_err(wrong)?))
            }
            Hosts::None => Way::None,
        };
        Ok(Self {
            name,
            target,
            ca,
            way,
            ended,
            clock,
            last: Arc::default(),
        })
    }

    /// Goes on from an instance of the same name whose settings are replaced by this one's: with its
    /// last list, what its hosts have reported, and after its calls under way. Its CA may be another:
    /// a list refuses a grant's id whoever signed.
    pub fn take_over(&mut self, before: &Self) {
        if self.name != before.name {
            return;
        }
        self.last = before.last.clone();
        match (&mut self.way, &before.way) {
            (Way::File(file), Way::File(before)) if file.path() == before.path() => {
                *file = before.clone();
            }
            (Way::Desk(desk), Way::Desk(before)) => *desk = Arc::new(desk.sharing(before)),
            _ => {}
        }
    }

    /// Where hosts fetch the list, for the HTTP server; none where they don't.
    #[must_use]
    pub fn desk(&self) -> Option<Arc<Desk>> {
        match &self.way {
            Way::Desk(desk) => Some(desk.clone()),
            _ => None,
        }
    }

    /// The line for the file that sshd's `TrustedUserCAKeys` names.
    #[must_use]
    pub fn ca_public_line(&self) -> String {
        self.ca.public_line()
    }
}

#[async_trait]
impl Issuer for SshCa {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            native_expiry: NativeExpiry::Enforced,
            early_end: match &self.way {
                Way::File(_) | Way::Desk(_) => EarlyEnd::Seen,
                Way::Push(push) if push.read_back => EarlyEnd::Seen,
                Way::Push(_) => EarlyEnd::ToldOnly,
                Way::None => EarlyEnd::Impossible,
            },
            sessions_outlive: true,
            settles_within_s: 0,
            makes_secret: false,
        }
    }

    fn bound_to(&self) -> BTreeSet<String> {
        let hosts: Vec<String> = match &self.way {
            Way::File(file) => vec![format!("krl.path {}", file.path().display())],
            Way::Push(push) => push.hosts.iter().map(|h| format!("host {h}")).collect(),
            Way::Desk(desk) => desk.hosts().map(|h| format!("host {h}")).collect(),
            Way::None => Vec::new(),
        };
        let key = format!("{SIGNS_WITH}{}", self.ca.fingerprint());
        hosts.into_iter().chain([key]).collect()
    }

    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        match person.ssh_keys.first() {
            Some(key) => Ok(TargetAccount::of_key(key, None)),
            None => Err(permanent(format!(
                "the config has no SSH key for {}",
                person.name
            ))),
        }
    }

    fn entitlements(&self, parameters: &Map<String, Value>) -> Result<Vec<String>, String> {
        Parameters::read(parameters).map(|p| p.entitlements())
    }

    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError> {
        let parameters = Parameters::read(&order.spec.parameters).map_err(permanent)?;
        let subject = order
            .spec
            .account
            .parameters
            .get("public_key")
            .and_then(Value::as_str)
            .ok_or_else(|| permanent("the grant names no public key".to_owned()))?;
        let subject =
            ssh_key::PublicKey::from_openssh(subject).map_err(|e| permanent(e.to_string()))?;
        let validity = validity(order, self.clock.machine_now())?;
        let certificate = self
            .ca
            .mint(
                &subject,
                &Minting {
                    grant: &order.grant,
                    serial: order.serial,
                    valid_after_s: validity.after_s,
                    valid_before_s: validity.before_s,
                    parameters: &parameters,
                },
            )
            .map_err(|e| permanent(e.to_string()))?;
        let kind = file_kind(&subject);
        // One of its own for each resource: two certificates under one name hide each other.
        let file = format!("~/.ssh/jitbot-{}-cert.pub", order.spec.resource);
        let user = parameters.principals.first().map_or("USER", String::as_str);
        Ok(Issued {
            handle: json!({
                "certificate": certificate,
                "serial": order.serial,
                "valid_before": validity.before_s,
            }),
            usable: true,
            how_to_use: format!(
                "Save the certificate below as `{file}`. It is for your key `{}`; if that is not \
                 `~/.ssh/id_{kind}`, name yours. Then, for {}:\n\
                 $ ssh -i ~/.ssh/id_{kind} -o CertificateFile={file} {user}@HOST",
                order.spec.account.id, self.target
            ),
            document: Some(certificate),
            secret: None,
        })
    }

    /// Another certificate with the same key id, so that the list refuses both when they end early.
    async fn extend(
        &self,
        order: &GrantOrder,
        _handle: Option<&Value>,
    ) -> Result<Issued, IssueError> {
        self.issue(order).await
    }

    async fn revoke(&self, order: &GrantOrder, _handle: Option<&Value>) -> Result<(), IssueError> {
        if has_ended_natively(order, self.clock.machine_now()) {
            return Ok(());
        }
        if matches!(self.way, Way::None) {
            return Err(permanent(format!(
                "a certificate of issuer {} can't be ended early: it names no way to the hosts. It \
                 ends by itself at its deadline",
                self.name
            )));
        }
        // A file may have been lost, and looking is cheap.
        let again = match &self.way {
            Way::File(_) => Again::Always,
            Way::Push(_) | Way::Desk(_) | Way::None => Again::OnlyIfNew,
        };
        within_limit(self.publish_list(Some(&order.grant), again)).await
    }

    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        if has_ended_natively(order, self.clock.machine_now()) {
            return Ok(Presence::Absent(Evidence::ExpiredAtTarget));
        }
        match &self.way {
            Way::None => Ok(Presence::Present),
            Way::File(file) => within_limit(self.inspect_file(file, order)).await,
            Way::Push(_) | Way::Desk(_) => within_limit(self.inspect_hosts(order)).await,
        }
    }

    /// Certificates are with people, not on hosts: there is nothing to list.
    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>> {
        futures_util::stream::empty().boxed()
    }

    async fn publish(&self) -> Result<(), IssueError> {
        within_limit(self.publish_list(None, Again::Always)).await
    }

    async fn check(&self) -> Result<(), IssueError> {
        match &self.way {
            Way::File(file) => {
                on_file(file, KrlFile::check).await?;
                if file::find_ssh_keygen().is_none() {
                    tracing::warn!(
                        issuer = %self.name,
                        "ssh-keygen is not installed: whether the list refuses a certificate is \
                         read by jitbot alone"
                    );
                }
                Ok(())
            }
            Way::Push(push) => push.check_program().map_err(permanent),
            Way::Desk(_) | Way::None => Ok(()),
        }
    }
}

/// The middle of the file name that `ssh-keygen` gives to such a key.
fn file_kind(key: &ssh_key::PublicKey) -> &'static str {
    use ssh_key::public::KeyData;
    match key.key_data() {
        KeyData::Ecdsa(_) => "ecdsa",
        KeyData::SkEd25519(_) => "ed25519_sk",
        KeyData::SkEcdsaSha2NistP256(_) => "ecdsa_sk",
        KeyData::Rsa(_) => "rsa",
        _ => "ed25519",
    }
}

fn retry(said: String) -> IssueError {
    IssueError::Retry {
        said,
        after_s: None,
    }
}

fn permanent(said: String) -> IssueError {
    IssueError::Permanent { said }
}

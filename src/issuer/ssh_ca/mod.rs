//! SSH certificates out of a CA of ours, and the list of those that ended early.
//!
//! A certificate holds its own deadline, and sshd enforces it: access ends though we are dead. An
//! early end needs the hosts: they refuse by key id, which is the grant's id, so a certificate whose
//! mint was never recorded is covered too. `docs/ISSUER-SSH-CA.md` is the operator's view.

pub mod certificate;
pub mod desk;
pub mod file;
pub mod krl;
pub mod list;
pub mod parameters;
pub mod push;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use self::certificate::{Ca, CaKeyError, Minting};
use self::desk::Desk;
use self::file::{FileError, KrlFile, Standing};
use self::list::List;
use self::parameters::Parameters;
use self::push::{HostAnswer, Push};
use crate::clock::{Clock, Timestamp};
use crate::domain::grant::Evidence;
use crate::domain::ids::{GrantId, IssuerName};
use crate::domain::spec::{ContentHash, TargetAccount};
use crate::issuer::{
    Capabilities, EarlyEnd, EndedGrants, GrantOrder, IssueError, Issued, Issuer, NativeExpiry,
    Observed, PersonFacts, Presence,
};

/// How far a host's clock may be from ours: certificates are valid from that long ago, and stay on
/// the list that long after their deadline.
pub const CLOCK_SKEW_S: i64 = 60;

/// How long one call may take in all.
const CALL_LIMIT: Duration = Duration::from_secs(18);

/// How long reading or replacing the file may take; a dead network mount must not hold us.
const FILE_LIMIT: Duration = Duration::from_secs(8);

/// How long a host that fetches is given before it is looked for again: its loop runs each minute.
const REPORT_WAIT_S: i64 = 15;

/// How hosts learn of what ended early.
#[derive(Debug)]
pub enum Hosts {
    /// A file that sshd on this machine reads.
    Path(PathBuf),
    /// A program that hands it to each host.
    Push(Push),
    /// Hosts fetch it from us, each with its own token.
    Fetch {
        /// Names of hosts and their tokens.
        hosts: BTreeMap<String, SecretString>,
    },
    /// There is no way to the hosts: nothing can be ended early.
    None,
}

/// What an issuer instance is made of.
#[derive(Debug)]
pub struct Settings {
    /// Its name in the config.
    pub name: IssuerName,
    /// The CA's private key as OpenSSH writes it.
    pub ca_key: SecretString,
    /// How hosts learn of what ended early.
    pub hosts: Hosts,
    /// Where certificates work, in words for people.
    pub target: String,
}

/// Why an issuer instance can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The CA's key.
    #[error("issuer {issuer}: {source}")]
    CaKey {
        /// The instance.
        issuer: IssuerName,
        /// Why.
        source: CaKeyError,
    },
    /// The way to the hosts.
    #[error("issuer {issuer}: {what}")]
    Hosts {
        /// The instance.
        issuer: IssuerName,
        /// What is wrong.
        what: String,
    },
}

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
    /// older facts.
    last: Mutex<Last>,
}

/// The last list.
#[derive(Debug, Default)]
struct Last {
    /// It, once one was made.
    list: Option<Arc<List>>,
    /// The digest of the one that every host took.
    taken_by_all: Option<ContentHash>,
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
        let ca = Ca::from_openssh(&ca_key).map_err(|source| SetupError::CaKey {
            issuer: name.clone(),
            source,
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
            Hosts::Fetch { hosts } => Way::Desk(Arc::new(Desk::new(&hosts).map_err(wrong)?)),
            Hosts::None => Way::None,
        };
        Ok(Self {
            name,
            target,
            ca,
            way,
            ended,
            clock,
            last: Mutex::default(),
        })
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

    /// Makes the list anew from the store. The one before is kept where nothing changed, so that
    /// what hosts have reported or read back stays true.
    async fn make_list(
        &self,
        last: &mut Last,
        also: Option<&GrantId>,
    ) -> Result<Arc<List>, IssueError> {
        let now = self.clock.machine_now();
        let valid_after = now - TimeDelta::seconds(CLOCK_SKEW_S);
        let orders = self
            .ended
            .ended_before_their_native_deadline(valid_after)
            .await?;
        let key_ids: BTreeSet<String> = orders
            .iter()
            .filter(|order| order.native_deadline.is_some_and(|d| d > valid_after))
            .map(|order| &order.grant)
            .chain(also)
            .map(|grant| grant.as_str().to_owned())
            .collect();
        let standing = self.standing().await?;
        if let Some(last) = last.list.as_ref().filter(|l| *l.key_ids() == key_ids) {
            let as_made = match &standing {
                Standing::Nothing => true,
                Standing::Ours { bytes, .. } => *bytes == last.bytes,
            };
            if as_made {
                return Ok(last.clone());
            }
        }
        // Never lower than what is there, also if the machine's clock went back.
        let version = [
            u64::try_from(now.timestamp_millis()).unwrap_or_default(),
            last.list
                .as_ref()
                .map_or(0, |l| l.version.saturating_add(1)),
            match standing {
                Standing::Nothing => 0,
                Standing::Ours { version, .. } => version.saturating_add(1),
            },
        ]
        .into_iter()
        .max()
        .unwrap_or_default();
        let comment = list::comment(&self.name);
        let list = List::make(&comment, self.ca.blob(), key_ids, version, now)
            .map_err(|e| retry(format!("{e}; the hosts keep the one that they have")))?;
        let list = Arc::new(list);
        last.list = Some(list.clone());
        Ok(list)
    }

    async fn standing(&self) -> Result<Standing, IssueError> {
        match &self.way {
            Way::File(file) => on_file(file, KrlFile::standing).await,
            Way::Push(_) | Way::Desk(_) | Way::None => Ok(Standing::Nothing),
        }
    }

    /// Hands the list to the hosts.
    async fn hand_out(&self, last: &mut Last, list: &Arc<List>) -> Result<HandedOut, IssueError> {
        last.taken_by_all = None;
        let handed_out = self.hand_out_by_way(list).await?;
        last.taken_by_all = Some(list.digest.clone());
        Ok(handed_out)
    }

    async fn hand_out_by_way(&self, list: &Arc<List>) -> Result<HandedOut, IssueError> {
        match &self.way {
            Way::File(file) => {
                let list = list.clone();
                on_file(file, move |file| file.replace(&list)).await?;
                Ok(HandedOut::Told)
            }
            Way::Push(push) => {
                let answers = push.to_all(list).await;
                let missing: Vec<String> = answers
                    .iter()
                    .filter_map(|(host, answer)| match answer {
                        HostAnswer::Not(why) => Some(format!("{host} ({why})")),
                        HostAnswer::Has | HostAnswer::Told => None,
                    })
                    .collect();
                if !missing.is_empty() {
                    return Err(retry(format!(
                        "{} of {} hosts may not refuse what has ended: {}",
                        missing.len(),
                        answers.len(),
                        in_short(&missing)
                    )));
                }
                if answers.values().all(|a| *a == HostAnswer::Has) && push.read_back {
                    Ok(HandedOut::ReadBack)
                } else {
                    Ok(HandedOut::Told)
                }
            }
            Way::Desk(desk) => {
                desk.offer(list.clone());
                Ok(HandedOut::Told)
            }
            Way::None => Ok(HandedOut::Told),
        }
    }

    /// Makes the list and hands it out, one call at a time.
    async fn publish_list(&self, also: Option<&GrantId>, again: Again) -> Result<(), IssueError> {
        let mut last = self.last.lock().await;
        let list = self.make_list(&mut last, also).await?;
        if again == Again::OnlyIfNew && last.taken_by_all.as_ref() == Some(&list.digest) {
            return Ok(());
        }
        self.hand_out(&mut last, &list).await.map(|_| ())
    }

    async fn inspect_file(
        &self,
        file: &Arc<KrlFile>,
        order: &GrantOrder,
    ) -> Result<Presence, IssueError> {
        let Some(reading) = on_file(file, KrlFile::read).await? else {
            return Err(retry(format!(
                "{} is gone, so sshd refuses everybody; it comes back with the next list",
                file.path().display()
            )));
        };
        if !reading.refuses(self.ca.blob(), order.grant.as_str()) {
            return Ok(Presence::Present);
        }
        // Our own reader says so. Where OpenSSH is installed its reader has the last word.
        let Some(program) = file::find_ssh_keygen() else {
            return Ok(Presence::Absent(Evidence::SeenGone));
        };
        let question = self
            .ca
            .question(&order.grant, order.serial)
            .map_err(|e| retry(e.to_string()))?;
        match file::ask_ssh_keygen(program, file.path().to_owned(), question).await {
            Ok(true) => Ok(Presence::Absent(Evidence::SeenGone)),
            Ok(false) => Ok(Presence::Present),
            Err(said) => Err(retry(said)),
        }
    }

    async fn inspect_hosts(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        let mut last = self.last.lock().await;
        let published = last.list.as_ref().is_some_and(|l| l.refuses(&order.grant));
        let list = self
            .make_list(&mut last, published.then_some(&order.grant))
            .await?;
        if !list.refuses(&order.grant) {
            return Ok(Presence::Present);
        }
        // Handing it out again is how a host is asked; it changes nothing where it stands already.
        let handed_out = self.hand_out(&mut last, &list).await?;
        match (&self.way, handed_out) {
            (Way::Desk(desk), _) => {
                let missing = desk.hosts_without(&order.grant);
                if missing.is_empty() {
                    return Ok(Presence::Absent(Evidence::SeenGone));
                }
                Err(IssueError::Retry {
                    said: format!(
                        "not yet reported by {}: until a host has fetched the list, it lets the \
                         certificate in",
                        in_short(&missing)
                    ),
                    after_s: Some(REPORT_WAIT_S),
                })
            }
            (_, HandedOut::ReadBack) => Ok(Presence::Absent(Evidence::SeenGone)),
            (_, HandedOut::Told) => Ok(Presence::CannotTell),
        }
    }
}

/// Whether a list that every host took is handed out once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Yes: a host may have lost it.
    Always,
    /// No: grants that end together need one round to the hosts, and each is asked for afterwards.
    OnlyIfNew,
}

/// How much is known of hosts that were given a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HandedOut {
    /// Each host has read it back.
    ReadBack,
    /// It was accepted.
    Told,
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
        }
    }

    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        let Some(line) = person.ssh_keys.first() else {
            return Err(permanent(format!(
                "there is no SSH key for {} in the config; ask whoever runs jitbot to add your \
                 public key",
                person.name
            )));
        };
        let key = certificate::subject(line).map_err(|e| permanent(e.to_string()))?;
        let public_key = key.to_openssh().map_err(|e| permanent(e.to_string()))?;
        let mut parameters = Map::new();
        parameters.insert("public_key".to_owned(), public_key.trim().into());
        Ok(TargetAccount {
            id: key.fingerprint(ssh_key::HashAlg::Sha256).to_string(),
            parameters,
        })
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
        let subject = certificate::subject(subject).map_err(|e| permanent(e.to_string()))?;
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
        let user = parameters.principals.first().map_or("USER", String::as_str);
        Ok(Issued {
            handle: json!({
                "certificate": certificate,
                "serial": order.serial,
                "valid_before": validity.before_s,
            }),
            usable: true,
            how_to_use: format!(
                "Save the certificate as ~/.ssh/id_{kind}-cert.pub next to your key ({}) and run \
                 `ssh -i ~/.ssh/id_{kind} -o CertificateFile=~/.ssh/id_{kind}-cert.pub {user}@HOST` \
                 for {}.",
                order.spec.account.id, self.target
            ),
            document: Some(certificate),
        })
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

struct Validity {
    after_s: u64,
    before_s: u64,
}

/// From a little before now, for hosts whose clocks lag, until the deadline: never later, so a
/// fraction of a second is cut off.
fn validity(order: &GrantOrder, now: Timestamp) -> Result<Validity, IssueError> {
    let Some(deadline) = order.native_deadline else {
        return Err(permanent(
            "the grant has no deadline, and nothing is certified for ever".to_owned(),
        ));
    };
    let seconds = |at: Timestamp| u64::try_from(at.timestamp()).unwrap_or_default();
    if deadline.timestamp() <= now.timestamp() {
        return Err(permanent(
            "the grant's deadline has passed; nothing was certified".to_owned(),
        ));
    }
    if order.serial == 0 {
        return Err(permanent(
            "the grant has the serial number 0, which OpenSSH takes for none".to_owned(),
        ));
    }
    Ok(Validity {
        after_s: seconds(now - TimeDelta::seconds(CLOCK_SKEW_S)),
        before_s: seconds(deadline),
    })
}

/// Whether whatever was minted has run out. Where no deadline was ever fixed nothing was minted,
/// since [`validity`] refuses it.
fn has_ended_natively(order: &GrantOrder, now: Timestamp) -> bool {
    order.native_deadline.is_none_or(|deadline| deadline <= now)
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

/// The first few of them, and how many more.
fn in_short(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
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

async fn within_limit<T>(
    call: impl Future<Output = Result<T, IssueError>>,
) -> Result<T, IssueError> {
    tokio::time::timeout(CALL_LIMIT, call)
        .await
        .unwrap_or_else(|_| {
            Err(retry(format!(
                "it took longer than {} s, other lists may be on their way; hosts keep the one \
                 that they have",
                CALL_LIMIT.as_secs()
            )))
        })
}

/// Runs a blocking piece of work on the file.
async fn on_file<T: Send + 'static>(
    file: &Arc<KrlFile>,
    work: impl FnOnce(&KrlFile) -> Result<T, FileError> + Send + 'static,
) -> Result<T, IssueError> {
    let shared = file.clone();
    let done = tokio::task::spawn_blocking(move || work(&shared));
    match tokio::time::timeout(FILE_LIMIT, done).await {
        Ok(Ok(done)) => done.map_err(|e| retry(e.to_string())),
        Ok(Err(e)) => Err(retry(format!("{}: {e}", file.path().display()))),
        Err(_) => Err(retry(format!(
            "{} did not answer within {} s",
            file.path().display(),
            FILE_LIMIT.as_secs()
        ))),
    }
}

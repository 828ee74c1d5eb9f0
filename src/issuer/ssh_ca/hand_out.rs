//! Making the list, handing it to the hosts, and asking them what they have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::file::{self, FileError, KrlFile, Standing};
use super::list::{self, List};
use super::push::HostAnswer;
use super::{CLOCK_SKEW_S, SshCa, Way, retry};
use crate::domain::grant::Evidence;
use crate::domain::ids::GrantId;
use crate::domain::spec::ContentHash;
use crate::issuer::{GrantOrder, IssueError, Issuer as _, Presence};

/// How long one call may take in all.
const CALL_LIMIT: Duration = Duration::from_secs(18);

/// How long reading or replacing the file may take; a dead network mount must not hold us.
const FILE_LIMIT: Duration = Duration::from_secs(8);

/// How long a host that fetches is given before it is looked for again: its loop runs each minute.
const REPORT_WAIT_S: i64 = 15;

/// The last list.
#[derive(Debug, Default)]
pub(super) struct Last {
    /// It, once one was made.
    list: Option<Arc<List>>,
    /// The digest of the one that every host took, and which hosts and key these were.
    taken_by_all: Option<(ContentHash, BTreeSet<String>)>,
}

/// Whether a list that every host took is handed out once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
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

impl SshCa {
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
        let list = List::make(&comment, key_ids, version, now)
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
        last.taken_by_all = Some((list.digest.clone(), self.bound_to()));
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
    pub(super) async fn publish_list(
        &self,
        also: Option<&GrantId>,
        again: Again,
    ) -> Result<(), IssueError> {
        let mut last = self.last.lock().await;
        let list = self.make_list(&mut last, also).await?;
        let taken = |(digest, by): &(ContentHash, BTreeSet<String>)| {
            *digest == list.digest && *by == self.bound_to()
        };
        if again == Again::OnlyIfNew && last.taken_by_all.as_ref().is_some_and(taken) {
            return Ok(());
        }
        self.hand_out(&mut last, &list).await.map(|_| ())
    }

    pub(super) async fn inspect_file(
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
        // Who signed is not asked: what was given may be of a key before the present one.
        if !reading.refuses_of_every_ca(order.grant.as_str()) {
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

    pub(super) async fn inspect_hosts(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
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

/// The first few of them, and how many more.
fn in_short(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

pub(super) async fn within_limit<T>(
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
pub(super) async fn on_file<T: Send + 'static>(
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

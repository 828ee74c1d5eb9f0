//! The record: append-only entries, each bound to the one before by a hash.
//!
//! An entry's body is text in a fixed form with a format version. Personal text (reasons, what was
//! typed) stands beside the chain; the body holds only its salted hash, so that the text can be
//! erased and the chain still verifies.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::{AccountId, GrantId, RequestId, ResourceName};
use super::refusal::Refusal;
use super::spec::ContentHash;
use super::timing::Timestamp;

/// Version of the body's form.
pub const FORMAT: i64 = 1;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// jitbot started with this policy.
    Started,
    /// The config was read again while jitbot ran, and holds from here on.
    Reloaded,
    /// The config was read again and can't be used: nothing changed.
    ReloadRefused,
    /// Another policy holds from here on than before.
    PolicyChanged,
    /// Somebody asked; it stands.
    Requested,
    /// Something that somebody tried was refused.
    Refused,
    /// A person or a rule approved.
    Approved,
    /// A person denied.
    Denied,
    /// Taken back.
    Withdrawn,
    /// The facts that decide a request came; it stands.
    Checked,
    /// A request was ended by us while it was open: who asked left, or the access that it asks more time
    /// for is over.
    Cancelled,
    /// A platform's group lost many people, or has them again.
    GroupTrouble,
    /// Ran out undecided.
    Expired,
    /// We are about to call the target to give access.
    IssueIntended,
    /// The target said that access is there.
    Issued,
    /// An attempt to give access failed, or its outcome is unknown.
    IssueTroubled,
    /// Access could not be given, and was seen to be absent.
    IssueFailed,
    /// We are about to tell the target a later end.
    ExtendIntended,
    /// The target holds the later end.
    Extended,
    /// An attempt to tell the target a later end failed, or its outcome is unknown.
    ExtendTroubled,
    /// The later end was approved but is not given; the earlier one holds.
    NotExtended,
    /// The end was ordered.
    EndOrdered,
    /// A grant ended before the target was ever called.
    GrantCancelled,
    /// Taking access away keeps failing.
    Stuck,
    /// Access is gone, with evidence.
    Ended,
    /// The beneficiary was told again how access is used.
    SentAgain,
    /// We are about to have the target make a secret anew.
    RenewIntended,
    /// The target made it anew; the one before is over.
    Renewed,
    /// An attempt to have it made anew failed, or its outcome is unknown.
    RenewTroubled,
    /// A secret went to the beneficiary.
    SecretSent,
    /// Nobody knows whether a secret reached the beneficiary.
    SecretMayBeLost,
    /// Somebody gave a public key in chat.
    KeyGiven,
    /// Somebody had their public key forgotten.
    KeyForgotten,
    /// A digest was made.
    DigestMade,
    /// The oldest segment of the record was removed; its head is kept.
    SegmentRemoved,
    /// What was personal about an account was erased.
    Erased,
}

impl AuditKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Reloaded => "reloaded",
            Self::ReloadRefused => "reload_refused",
            Self::PolicyChanged => "policy_changed",
            Self::Requested => "requested",
            Self::Refused => "refused",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Checked => "checked",
            Self::GroupTrouble => "group_trouble",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::IssueIntended => "issue_intended",
            Self::Issued => "issued",
            Self::IssueTroubled => "issue_troubled",
            Self::IssueFailed => "issue_failed",
            Self::ExtendIntended => "extend_intended",
            Self::Extended => "extended",
            Self::ExtendTroubled => "extend_troubled",
            Self::NotExtended => "not_extended",
            Self::EndOrdered => "end_ordered",
            Self::GrantCancelled => "grant_cancelled",
            Self::Stuck => "stuck",
            Self::Ended => "ended",
            Self::SentAgain => "sent_again",
            Self::RenewIntended => "renew_intended",
            Self::Renewed => "renewed",
            Self::RenewTroubled => "renew_troubled",
            Self::SecretSent => "secret_sent",
            Self::SecretMayBeLost => "secret_may_be_lost",
            Self::KeyGiven => "key_given",
            Self::KeyForgotten => "key_forgotten",
            Self::DigestMade => "digest_made",
            Self::SegmentRemoved => "segment_removed",
            Self::Erased => "erased",
        }
    }
}

/// An entry before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditDraft {
    /// What happened.
    pub kind: AuditKind,
    /// Who did it; none for jitbot itself.
    pub actor: Option<AccountId>,
    /// About which request.
    pub request: Option<RequestId>,
    /// About which grant.
    pub grant: Option<GrantId>,
    /// The policy that held.
    pub policy: Option<ContentHash>,
    /// Rules that decided, e.g. `resource.staging-ssh.approve[0]`.
    pub rules: Vec<String>,
    /// Facts, sorted by key; no personal text, no secret.
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// Personal text that belongs to it; only its salted hash enters the chain.
    pub text: Option<String>,
}

impl AuditDraft {
    /// An entry of this kind about nothing yet.
    #[must_use]
    pub fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            actor: None,
            request: None,
            grant: None,
            policy: None,
            rules: Vec::new(),
            facts: serde_json::Map::new(),
            text: None,
        }
    }

    /// Something was tried and refused; `access` says about which access, by what and by whose, as far
    /// as there is one.
    #[must_use]
    pub fn refused(
        tried: &str,
        refusal: &Refusal,
        policy: &ContentHash,
        access: Option<(&ResourceName, &AccountId)>,
    ) -> Self {
        let draft = Self::new(AuditKind::Refused)
            .under(policy, Vec::new())
            .fact("tried", tried)
            .fact("refusal", refusal.code());
        match access {
            Some((resource, of)) => draft.access(resource, of),
            None => draft,
        }
    }

    /// Who did it.
    #[must_use]
    pub fn by(mut self, actor: &AccountId) -> Self {
        self.actor = Some(actor.clone());
        self
    }

    /// About which request.
    #[must_use]
    pub fn request(mut self, request: &RequestId) -> Self {
        self.request = Some(request.clone());
        self
    }

    /// About which grant, and so which request.
    #[must_use]
    pub fn grant(mut self, grant: &GrantId) -> Self {
        self.request = Some(grant.request());
        self.grant = Some(grant.clone());
        self
    }

    /// Under which policy, by which rules.
    #[must_use]
    pub fn under(mut self, policy: &ContentHash, rules: Vec<String>) -> Self {
        self.policy = Some(policy.clone());
        self.rules = rules;
        self
    }

    /// Which access it is about: what, and whose.
    #[must_use]
    pub fn access(self, resource: &ResourceName, of: &AccountId) -> Self {
        self.fact("resource", resource.as_str())
            .fact("of", of.as_str())
    }

    /// One more fact.
    #[must_use]
    pub fn fact(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }

    /// Personal text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }
}

/// An entry in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its place, from 1 without gaps.
    pub seq: i64,
    /// The body, exactly as it was hashed.
    pub body: String,
    /// Hash of the entry before; of nothing for the first.
    pub prev: ContentHash,
    /// Hash of `prev` and `body`.
    pub hash: ContentHash,
    /// The personal text beside it, with its salt, unless erased.
    pub text: Option<SaltedText>,
}

impl AuditEntry {
    /// When it was made; none if its body can't be read.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        chrono::DateTime::from_timestamp_millis(body["at"].as_i64()?)
    }
}

/// Personal text with the salt of its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaltedText {
    /// 16 random bytes in hexadecimal.
    pub salt: String,
    /// The text.
    pub text: String,
}

impl SaltedText {
    /// What the body holds of it.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(format!("{}:{}", self.salt, self.text).as_bytes())
    }
}

/// The end of the record: how many entries, and the hash of the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Entries.
    pub count: i64,
    /// Hash of the last.
    pub hash: ContentHash,
}

impl Head {
    /// The head of an empty record.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            count: 0,
            hash: ContentHash::of(b""),
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.count, self.hash)
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a head: write it as N:HASH, as a digest says it");
        let (count, hash) = text.split_once(':').ok_or_else(wrong)?;
        let count: i64 = count.parse().map_err(|_| wrong())?;
        // A head of nothing would fit every record.
        if count < 1 || hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        Ok(Self {
            count,
            hash: ContentHash(hash.to_ascii_lowercase()),
        })
    }
}

pub(super) fn chain(prev: &ContentHash, body: &str) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update(prev.0.as_bytes());
    hasher.update(b"\n");
    hasher.update(body.as_bytes());
    ContentHash(hex::encode(hasher.finalize()))
}

/// Gives a draft its place after `head`. `salt` is fresh chance, used only where there is text.
#[must_use]
pub fn append(head: &Head, draft: AuditDraft, salt: [u8; 16], at: Timestamp) -> AuditEntry {
    let text = draft.text.map(|text| SaltedText {
        salt: hex::encode(salt),
        text,
    });
    let seq = head.count + 1;
    let body = serde_json::json!({
        "v": FORMAT,
        "seq": seq,
        "at": at.timestamp_millis(),
        "kind": draft.kind,
        "actor": draft.actor,
        "request": draft.request,
        "grant": draft.grant,
        "policy": draft.policy,
        "rules": draft.rules,
        "facts": draft.facts,
        "text_hash": text.as_ref().map(SaltedText::hash),
    })
    .to_string();
    AuditEntry {
        seq,
        hash: chain(&head.hash, &body),
        prev: head.hash.clone(),
        body,
        text,
    }
}

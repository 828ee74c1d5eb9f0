//! What the issuer is told from outside: grants, ended grants, the time, keys.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use jitbot::clock::{Clock, Timestamp, machine_now};
use jitbot::domain::ids::{GrantId, IssuerName, PersonName, RequestId, ResourceName};
use jitbot::domain::public_key::PublicKey;
use jitbot::domain::spec::{Risk, Spec};
use jitbot::issuer::ssh_ca::{Hosts, Settings, SshCa};
use jitbot::issuer::{EndedGrants, GrantOrder, IssueError, Issuer as _, PersonFacts};
use secrecy::SecretString;
use serde_json::{Value, json};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

/// Grants whose end was ordered, as the store would tell.
#[derive(Default)]
pub struct Ended(Mutex<Vec<GrantOrder>>);

impl Ended {
    pub fn add(&self, order: &GrantOrder) {
        self.0.lock().unwrap().push(order.clone());
    }
}

#[async_trait]
impl EndedGrants for Ended {
    async fn ended_before_their_native_deadline(
        &self,
        machine_now: Timestamp,
    ) -> Result<Vec<GrantOrder>, IssueError> {
        let ended = self.0.lock().unwrap();
        Ok(ended
            .iter()
            .filter(|order| order.native_deadline.is_some_and(|d| d > machine_now))
            .cloned()
            .collect())
    }
}

/// The machine's clock, put forward or back.
#[derive(Default)]
pub struct Shifted(AtomicI64);

impl Shifted {
    pub fn by(&self, step: TimeDelta) {
        self.0.fetch_add(step.num_milliseconds(), Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        self.machine_now()
    }

    fn machine_now(&self) -> Timestamp {
        machine_now() + TimeDelta::milliseconds(self.0.load(Ordering::SeqCst))
    }
}

pub fn key() -> PrivateKey {
    PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap()
}

pub fn text(key: &PrivateKey) -> String {
    key.to_openssh(LineEnding::LF).unwrap().to_string()
}

/// An issuer with everything around it.
pub struct Bench {
    pub ca: PrivateKey,
    pub person: PrivateKey,
    pub ended: Arc<Ended>,
    pub clock: Arc<Shifted>,
    pub issuer: Arc<SshCa>,
    serials: AtomicI64,
}

impl Bench {
    pub fn new(hosts: Hosts) -> Self {
        Self::with_ca(key(), hosts)
    }

    pub fn with_ca(ca: PrivateKey, hosts: Hosts) -> Self {
        Self::reading(ca, hosts, Arc::default())
    }

    /// One that reads of these grants.
    pub fn reading(ca: PrivateKey, hosts: Hosts, ended: Arc<Ended>) -> Self {
        let clock = Arc::<Shifted>::default();
        let settings = Settings {
            name: IssuerName::new("staging-ca").unwrap(),
            ca_key: SecretString::from(text(&ca)),
            hosts,
            target: "the staging hosts".to_owned(),
        };
        let issuer = SshCa::new(settings, ended.clone(), clock.clone()).unwrap();
        Self {
            ca,
            person: key(),
            ended,
            clock,
            issuer: Arc::new(issuer),
            serials: AtomicI64::new(0),
        }
    }

    /// The same issuer with another way to its hosts, going on from this one.
    pub fn succeeded_by(&self, ca: &PrivateKey, hosts: Hosts) -> Arc<SshCa> {
        let settings = Settings {
            name: IssuerName::new("staging-ca").unwrap(),
            ca_key: SecretString::from(text(ca)),
            hosts,
            target: "the staging hosts".to_owned(),
        };
        let mut next = SshCa::new(settings, self.ended.clone(), self.clock.clone()).unwrap();
        next.take_over(&self.issuer);
        Arc::new(next)
    }

    pub fn person_facts(&self) -> PersonFacts {
        PersonFacts {
            name: PersonName::new("alice").unwrap(),
            accounts: vec![],
            ssh_keys: vec![
                PublicKey::parse(&self.person.public_key().to_openssh().unwrap()).unwrap(),
            ],
        }
    }

    /// A grant of this many seconds from now.
    pub async fn grant(&self, parameters: Value, seconds: i64) -> GrantOrder {
        let serial = u64::try_from(self.serials.fetch_add(1, Ordering::SeqCst)).unwrap() + 1;
        let Value::Object(parameters) = parameters else {
            panic!("parameters are a table")
        };
        GrantOrder {
            grant: grant_id(serial),
            serial,
            spec: Spec {
                resource: ResourceName::new("staging-ssh").unwrap(),
                title: "Shell".to_owned(),
                project: "shop".to_owned(),
                action: "shell".to_owned(),
                risk: Risk::Low,
                issuer: IssuerName::new("staging-ca").unwrap(),
                target: "the staging hosts".to_owned(),
                account: self.issuer.resolve(&self.person_facts()).await.unwrap(),
                entitlements: self.issuer.entitlements(&parameters).unwrap(),
                parameters,
                duration_s: seconds,
                until: None,
            },
            native_deadline: Some(self.clock.machine_now() + TimeDelta::seconds(seconds)),
            renewal: None,
        }
    }

    /// A grant of an hour as `deploy`.
    pub async fn hour(&self) -> GrantOrder {
        self.grant(json!({"principals": ["deploy"]}), 3_600).await
    }

    /// Mints a certificate.
    pub async fn certificate(&self, order: &GrantOrder) -> String {
        self.issuer.issue(order).await.unwrap().document.unwrap()
    }

    /// Ends a grant as the engine would: on record first, then the issuer.
    pub async fn end(&self, order: &GrantOrder) -> Result<(), IssueError> {
        self.ended.add(order);
        self.issuer.revoke(order, None).await
    }
}

pub fn grant_id(number: u64) -> GrantId {
    RequestId::from_bits(number).grant()
}

/// Lets real time pass, for what other programs judge by it.
pub fn pause(time: Duration) {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// What a call to be tried again said.
pub fn said(error: IssueError) -> String {
    match error {
        IssueError::Retry { said, .. } => said,
        other => panic!("not to be tried again: {other:?}"),
    }
}

//! An instance whose settings were replaced, and the one that goes on from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jitbot::clock::Clock as _;
use jitbot::issuer::Issuer as _;
use jitbot::issuer::ssh_ca::desk::Desk;
use jitbot::issuer::ssh_ca::push::Push;
use jitbot::issuer::ssh_ca::{Hosts, SshCa};
use secrecy::SecretString;

use super::store::{Bench, key};

fn fresh() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn fetch(tokens: &[(&str, &str)]) -> Hosts {
    let one = |(host, token): &(&str, &str)| {
        ((*host).to_owned(), SecretString::from((*token).to_owned()))
    };
    let hosts: BTreeMap<String, SecretString> = tokens.iter().map(one).collect();
    Hosts::Fetch {
        hosts,
        former: BTreeMap::new(),
    }
}

fn desk(issuer: &SshCa) -> Arc<Desk> {
    issuer.desk().unwrap()
}

/// This host says that it has the list that is handed out.
fn reports(bench: &Bench, host: &str, token: &str) {
    let desk = desk(&bench.issuer);
    let known = desk.host_of(token).unwrap();
    let digest = desk.current().unwrap().digest.0.clone();
    let at = bench.clock.machine_now();
    desk.report(&known, host, &digest, at).unwrap();
}

#[tokio::test]
async fn with_new_tokens_the_list_and_the_reports_stay_and_only_the_new_tokens_open() {
    let (one, two, new) = (fresh(), fresh(), fresh());
    let bench = Bench::new(fetch(&[("web-1", &one), ("web-2", &two)]));
    let order = bench.hour().await;
    bench.certificate(&order).await;
    bench.end(&order).await.unwrap();
    let list = desk(&bench.issuer).current().unwrap();
    reports(&bench, "web-1", &one);

    let hosts = fetch(&[("web-1", &new), ("web-2", &two)]);
    let next = desk(&bench.succeeded_by(&bench.ca, hosts.clone()));
    assert_eq!(next.host_of(&one), None);
    assert!(next.host_of(&new).is_some());
    assert_eq!(next.current().unwrap().digest, list.digest);
    assert_eq!(next.hosts_without(&order.grant), ["web-2"]);

    // With another CA key as well: a list refuses a grant's id whoever signed.
    let other = desk(&bench.succeeded_by(&key(), hosts));
    assert_eq!(other.current().unwrap().digest, list.digest);
    assert_eq!(other.hosts_without(&order.grant), ["web-2"]);
}

#[tokio::test]
async fn while_one_token_replaces_another_both_speak_for_the_host_and_for_no_other() {
    let (old, new, two) = (fresh(), fresh(), fresh());
    let bench = Bench::new(fetch(&[("web-1", &old), ("web-2", &two)]));
    let order = bench.hour().await;
    bench.certificate(&order).await;
    bench.end(&order).await.unwrap();
    let Hosts::Fetch { hosts, .. } = fetch(&[("web-1", &new), ("web-2", &two)]) else {
        panic!("they fetch")
    };
    let former = [("web-1".to_owned(), SecretString::from(old.clone()))];
    let between = Hosts::Fetch {
        hosts,
        former: former.into(),
    };
    let next = bench.succeeded_by(&bench.ca, between);
    let desk = desk(&next);
    let (first, second) = (desk.host_of(&old), desk.host_of(&new));
    assert!(first.is_some() && first == second);
    assert_ne!(desk.host_of(&two), first);
    let digest = desk.current().unwrap().digest.0.clone();
    let at = bench.clock.machine_now();
    let known = first.unwrap();
    assert!(desk.report(&known, "web-2", &digest, at).is_err());
    desk.report(&known, "web-1", &digest, at).unwrap();
    assert_eq!(desk.hosts_without(&order.grant), ["web-2"]);
    // Another host's token is nobody's former one.
    let taken = Hosts::Fetch {
        hosts: [("web-1", &new), ("web-2", &two)]
            .map(|(host, token)| (host.to_owned(), SecretString::from(token.clone())))
            .into(),
        former: [("web-2".to_owned(), SecretString::from(new))].into(),
    };
    let Hosts::Fetch { hosts, former } = taken else {
        panic!("they fetch")
    };
    let why = Desk::new(&hosts, &former).unwrap_err();
    assert!(why.contains("the token of another host"), "{why}");
}

#[tokio::test]
async fn a_host_that_was_left_out_and_comes_back_is_not_believed_from_before() {
    let (one, two) = (fresh(), fresh());
    let both = fetch(&[("web-1", &one), ("web-2", &two)]);
    let bench = Bench::new(both.clone());
    let order = bench.hour().await;
    bench.certificate(&order).await;
    bench.end(&order).await.unwrap();
    reports(&bench, "web-1", &one);

    let without = bench.succeeded_by(&bench.ca, fetch(&[("web-2", &two)]));
    without.publish().await.unwrap();
    let again = desk(&bench.succeeded_by(&bench.ca, both));
    assert_eq!(again.hosts_without(&order.grant), ["web-1", "web-2"]);
}

#[tokio::test]
async fn a_host_that_is_new_gets_the_list_that_the_others_have_already() {
    let room = tempfile::tempdir().unwrap();
    let script = room.path().join("push.sh");
    let text = "cat > \"$1.$2\"; printf '{\"digest\":\"%s\"}\\n' \"$(sha256sum < \"$1.$2\" | cut -d ' ' -f 1)\"";
    std::fs::write(&script, text).unwrap();
    let hosts = |hosts: &[&str]| {
        let krl = room.path().join("krl");
        Hosts::Push(Push {
            program: ["/bin/sh", script.to_str().unwrap(), krl.to_str().unwrap()]
                .map(str::to_owned)
                .to_vec(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            timeout: Duration::from_secs(5),
            read_back: true,
        })
    };
    let bench = Bench::new(hosts(&["web-1"]));
    let order = bench.hour().await;
    bench.certificate(&order).await;
    bench.end(&order).await.unwrap();
    assert!(!room.path().join("krl.web-2").exists());

    let next = bench.succeeded_by(&bench.ca, hosts(&["web-1", "web-2"]));
    // The same list as before, which "every host" has: but there is another host now.
    next.revoke(&order, None).await.unwrap();
    let lists = ["krl.web-1", "krl.web-2"].map(|file| std::fs::read(room.path().join(file)));
    let [one, two] = lists.map(Result::unwrap);
    assert_eq!(one, two);
}

//! The CA's key is exchanged while certificates of the one before are valid.

use std::fs;
use std::sync::Arc;

use jitbot::domain::grant::Evidence;
use jitbot::issuer::ssh_ca::krl::Krl;
use jitbot::issuer::ssh_ca::{Hosts, SshCa};
use jitbot::issuer::{Issuer as _, Presence};

use super::sshd::{Sshd, room};
use super::store::{Bench, key};

const REVOKED: &str = "revoked by file";
const SEEN_GONE: Result<Presence, jitbot::issuer::IssueError> =
    Ok(Presence::Absent(Evidence::SeenGone));

#[tokio::test]
async fn what_the_key_before_signed_works_on_and_can_be_ended_early_and_so_does_the_new_keys() {
    let (directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    bench.issuer.publish().await.unwrap();
    let sshd = Sshd::start(directory, &krl, &bench.ca);
    let (over, live, other) = (bench.hour().await, bench.hour().await, bench.hour().await);
    let over_certificate = bench.certificate(&over).await;
    let live_certificate = bench.certificate(&live).await;
    let other_certificate = bench.certificate(&other).await;
    bench.end(&over).await.unwrap();
    sshd.refuses(&bench.person, &over_certificate, REVOKED);

    // As the guide says: hosts trust both, then the bot signs with the new one.
    let new_ca = key();
    sshd.trusts(&[&bench.ca, &new_ca]);
    let next: Arc<SshCa> = bench.succeeded_by(&new_ca, Hosts::Path(krl.clone()));
    next.publish().await.unwrap();
    sshd.refuses(&bench.person, &over_certificate, REVOKED);
    sshd.lets_in(&bench.person, &live_certificate);
    let fresh = bench.hour().await;
    let fresh_certificate = next.issue(&fresh).await.unwrap().document.unwrap();
    sshd.lets_in(&bench.person, &fresh_certificate);

    for (order, certificate) in [(&live, &live_certificate), (&fresh, &fresh_certificate)] {
        assert_eq!(next.inspect(order).await, Ok(Presence::Present));
        bench.ended.add(order);
        next.revoke(order, None).await.unwrap();
        sshd.refuses(&bench.person, certificate, REVOKED);
        assert_eq!(next.inspect(order).await, SEEN_GONE);
    }
    sshd.lets_in(&bench.person, &other_certificate);

    // After a start, when nothing is known but what is on record.
    let ended = bench.ended.clone();
    let restarted = Bench::reading(new_ca.clone(), Hosts::Path(krl.clone()), ended);
    restarted.issuer.publish().await.unwrap();
    for certificate in [&over_certificate, &live_certificate, &fresh_certificate] {
        sshd.refuses(&bench.person, certificate, REVOKED);
    }

    // The last step: what is left of the key before ends with its trust.
    sshd.trusts(&[&new_ca]);
    sshd.refuses(&bench.person, &other_certificate, "Failed publickey");
}

#[tokio::test]
async fn a_list_about_one_key_alone_is_not_believed() {
    let (_directory, krl) = room();
    let bench = Bench::new(Hosts::Path(krl.clone()));
    let order = bench.hour().await;
    bench.ended.add(&order);
    // As jitbot wrote them once: they say nothing of what another key signed.
    let narrow = Krl {
        version: 1,
        generated_s: 1,
        comment: "jitbot staging-ca".to_owned(),
        ca_key: bench.ca.public_key().to_bytes().unwrap(),
        key_ids: [order.grant.as_str().to_owned()].into(),
    };
    fs::write(&krl, narrow.to_bytes()).unwrap();
    assert_eq!(bench.issuer.inspect(&order).await, Ok(Presence::Present));
    bench.issuer.publish().await.unwrap();
    assert_eq!(bench.issuer.inspect(&order).await, SEEN_GONE);
}

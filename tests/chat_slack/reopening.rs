//! Sockets that are opened anew with another token.

use secrecy::SecretString;

use crate::double::{Double, HANGS, until};
use crate::listening::{command, listening};
use crate::things::request;

/// Open at a time with one token.
const SOCKETS: usize = 4;

#[tokio::test]
async fn the_old_sockets_are_closed_after_the_new_ones_are_open_and_nothing_is_under_way() {
    let double = Double::start().await;
    let (listener, inbox) = listening(&double).await;
    double.open_sockets(SOCKETS).await;
    let token = SecretString::from("xapp-next");
    let reopened = listener.reopen(&token).await.unwrap();
    let both = 2 * SOCKETS;
    assert_eq!(
        double.open_sockets(both).await,
        both,
        "both take what comes"
    );

    let slow = command("slow", "T1", &format!("extend {} 1h", request()));
    double.send(slow);
    let seen = || (!inbox.seen.lock().unwrap().is_empty()).then_some(());
    until(seen).await;
    listener.settle_on(reopened).await;
    let ack = double.ack("slow");
    assert!(
        ack.is_some(),
        "what was under way on an old socket is answered over it"
    );
    let new_ones = || {
        let mut sockets = double.sockets.lock().unwrap();
        sockets.retain(|socket| !socket.is_closed());
        (sockets.len() == SOCKETS).then_some(())
    };
    until(new_ones).await;
    assert!(listener.sockets().load().any());
    double.send(command("after", "T1", "list"));
    double.acknowledged("after").await;
    listener.shutdown().await;
}

#[tokio::test]
async fn with_a_token_that_opens_nothing_the_sockets_stay() {
    let double = Double::start().await;
    let (listener, _) = listening(&double).await;
    double.open_sockets(SOCKETS).await;
    for _ in 0..SOCKETS {
        double.stage("apps.connections.open", HANGS, None, serde_json::json!({}));
    }
    let token = SecretString::from("xapp-next");
    let refused = listener.reopen(&token).await.err().unwrap().to_string();
    assert!(refused.contains("no socket opened"), "{refused}");
    assert_eq!(double.open_sockets(SOCKETS).await, SOCKETS);
    double.send(command("after", "T1", "list"));
    double.acknowledged("after").await;
    listener.shutdown().await;
}

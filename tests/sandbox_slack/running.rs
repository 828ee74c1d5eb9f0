//! How a sandbox starts and ends.

use std::net::SocketAddr;

use jitbot::sandbox::slack::{Manifest, Server, StartError, World};

use crate::support::{MANIFEST, PATIENCE, Stage, world};

#[tokio::test]
async fn a_sandbox_starts_only_where_and_with_what_it_should() {
    let manifest = || Manifest::from_yaml(MANIFEST).expect("good");
    let start = |world: World, address: SocketAddr| Server::start(world, manifest(), address);
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    assert!(matches!(
        start(world(), anywhere).await,
        Err(StartError::NotLoopback(_))
    ));
    let contradictory = world().channel("C0APPROVE", "again", &[]);
    assert!(matches!(
        start(contradictory, loopback).await,
        Err(StartError::World(_))
    ));
    let stage = Stage::start().await;
    assert!(matches!(
        start(world(), stage.running.addr).await,
        Err(StartError::Listen { .. })
    ));
    let text = serde_json::to_string(&world()).expect("plain data");
    let read: World = serde_json::from_str(&text).expect("it reads back");
    assert!(start(read, loopback).await.is_ok());
}

#[tokio::test]
async fn a_sandbox_that_ends_frees_its_address() {
    let stage = Stage::start().await;
    let mut socket = stage.socket().await;
    let addr = stage.running.addr;
    tokio::time::timeout(PATIENCE, stage.running.shutdown())
        .await
        .expect("open sockets do not hold it up");
    assert_eq!(socket.next().await, None);
    assert!(tokio::net::TcpListener::bind(addr).await.is_ok());
}

#[tokio::test]
async fn the_world_of_the_page_is_a_world() {
    let page = include_str!("../../docs/SANDBOX.md");
    let start = page.find("```json").expect("the page shows a world") + "```json".len();
    let end = start + page[start..].find("```").expect("and ends it");
    let world: World = serde_json::from_str(&page[start..end]).expect("it is plain data");
    assert_eq!(world.app.bot_token, "xoxb-choose-one");
    let stage = Stage::with(world, MANIFEST).await;
    let seen = stage.people.messages("guest", "approvals").await;
    assert!(seen.is_err(), "a guest sees only channels that they are in");
    assert!(stage.people.messages("bob", "approvals").await.is_ok());
}

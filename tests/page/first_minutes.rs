//! The first three minutes of a newcomer, and what the others see meanwhile.

use std::process::Command;

use crate::webdriver::css;

use crate::bots_forms::{form_is_gone, writes};
use crate::browser::{Browser, DESK, story};
use crate::house::{Demo, demo};

const ASK: &str = "/jit request staging-ssh 1h deploy is stuck";

/// Asks as Alice and waits for the private answer.
pub async fn alice_asks(page: &Browser, line: &str) {
    page.become_("Alice").await;
    page.goes_to("approvals").await;
    page.types(line).await;
    page.sees(".messages", "Only visible to you").await;
}

/// Approves as Bob and waits for the card to say so.
pub async fn bob_approves(page: &Browser) {
    page.become_("Bob").await;
    page.goes_to("approvals").await;
    page.press("Approve").await;
    page.sees(".messages", "Approved by bob").await;
}

#[tokio::test]
async fn asked_approved_let_in_and_over() {
    // With the machine's own SSH server, as a newcomer has it.
    let demo = Demo::start(&[]);
    story(
        "asked_approved_let_in_and_over",
        DESK,
        &demo.page,
        async |page| {
            page.sees("#console", "As Alice, ask for access:").await;
            alice_asks(&page, ASK).await;
            page.sees(".messages", "Asked: staging-ssh for 1h").await;
            page.sees(".messages", "Access request").await;
            page.sees("[data-person='bob']", "1").await;

            page.become_("Bob").await;
            page.sees(".messages", "@alice asks for staging-ssh for 1h")
                .await;
            assert!(
                !page.text(".messages").await.contains("Only visible to you"),
                "Alice's answer is hers alone"
            );
            bob_approves(&page).await;
            assert!(
                !page.text(".messages").await.contains("Deny"),
                "nothing is left to decide"
            );

            page.sees("[data-person='alice'] .badge.called", "1").await;
            page.become_("Alice").await;
            page.goes_to("jitbot").await;
            page.sees(".messages", "ssh-ed25519-cert-v01@openssh.com")
                .await;
            page.sees("#light", "Alice: works now").await;
            let line = page.text(".ssh").await;
            let shell = |line: &str| Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(
                shell(&line).status.success(),
                "the line of the page works: {line}"
            );

            page.press("To the reminder").await;
            page.sees(".messages", "Ends soon").await;
            let sent = "return [...document.querySelectorAll('.messages .sent')].map((one) => one.textContent);";
            let sent = page.measure(sent).await;
            assert_ne!(sent[0], sent[1], "messages are as old as they look: {sent}");
            page.sees("#light", "works now").await;
            page.press("To the end").await;
            page.sees(".messages", "is over").await;
            page.sees("#light", "Alice: refused").await;
            let after = shell(&line);
            assert!(
                String::from_utf8_lossy(&after.stderr).contains("Permission denied"),
                "{after:?}"
            );
            page.until("all steps ticked", async || {
                (page
                    .driver
                    .find_all(&css(".steps .done"))
                    .await
                    .ok()?
                    .len()
                    == 5)
                    .then_some(())
            })
            .await;
        },
    )
    .await;
}

#[tokio::test]
async fn nobody_approves_their_own_and_a_denial_is_told() {
    let demo = demo();
    story(
        "nobody_approves_their_own_and_a_denial_is_told",
        DESK,
        &demo.page,
        async |page| {
            alice_asks(&page, ASK).await;
            page.press("Approve").await;
            page.sees(".messages", "Nobody approves").await;
            page.become_("Bob").await;
            page.press("Deny…").await;
            page.sees("dialog[open]", "Why not?").await;
            writes(&page, "jitbot_reason", "not before Monday").await;
            page.press("Deny").await;
            form_is_gone(&page).await;
            page.sees(".messages", "Denied").await;
            page.become_("Alice").await;
            page.goes_to("jitbot").await;
            page.sees(".messages", "not before Monday").await;
            page.sees("#console", "Alice has not been sent a certificate yet.")
                .await;
        },
    )
    .await;
}

#[tokio::test]
async fn only_security_sees_its_channel_and_reads_the_digest_there() {
    let demo = demo();
    story(
        "only_security_sees_its_channel",
        DESK,
        &demo.page,
        async |page| {
            page.become_("Alice").await;
            assert!(!page.shows("[data-place='security']").await);
            alice_asks(&page, ASK).await;
            page.become_("Carol").await;
            page.goes_to("security").await;
            page.sees(".empty", "Nothing in #security yet").await;
            page.press("To the digest").await;
            page.sees(".messages", "To check the record later:").await;
            // What stands before somebody's eyes is read; for others the card is new still.
            page.until("nothing new for Carol", async || {
                (!page.shows("[data-person='carol'] .badge").await).then_some(())
            })
            .await;
            page.sees("[data-person='dana'] .badge", "1").await;
        },
    )
    .await;
}

#[tokio::test]
async fn two_people_side_by_side_see_it_at_once() {
    let demo = demo();
    story("two_people_side_by_side", DESK, &demo.page, async |page| {
        page.become_("Alice").await;
        page.press("Side by side").await;
        page.finds(css(".pane:nth-child(2) [data-person='bob']"))
            .await
            .click()
            .await
            .unwrap();
        page.sees(".pane:nth-child(2) .place-head", "#approvals")
            .await;
        page.types(ASK).await;
        page.sees(".pane:nth-child(1) .messages", "Only visible to you")
            .await;
        page.sees(".pane:nth-child(2) .messages", "@alice asks for")
            .await;
        assert!(
            !page
                .text(".pane:nth-child(2) .messages")
                .await
                .contains("Only visible to you")
        );
        page.finds(css(".pane:nth-child(2) .act.primary:not(.send)"))
            .await
            .click()
            .await
            .unwrap();
        page.sees(".pane:nth-child(1) .messages", "Approved by bob")
            .await;

        // A reload shows the same two again.
        page.driver.refresh().await.unwrap();
        page.sees(".pane:nth-child(1) .messages", "Approved by bob")
            .await;
        page.sees(".pane:nth-child(2) [aria-current='true']", "Bob")
            .await;
    })
    .await;
}

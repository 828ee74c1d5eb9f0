//! An app that is gone or does not answer: the page says what Slack says, and what is meant.

use crate::webdriver::css;
use nix::sys::signal::Signal;

use crate::browser::{DESK, story};
use crate::first_minutes::alice_asks;
use crate::house::demo;

#[tokio::test]
async fn a_bot_that_is_gone_or_hangs_is_told() {
    let demo = demo();
    story(
        "a_bot_that_is_gone_or_hangs_is_told",
        DESK,
        &demo.page,
        async |page| {
            alice_asks(&page, "/jit request staging-ssh 1h deploy is stuck").await;
            page.sees("#status", "jitbot is connected").await;

            demo.signal_bot(Signal::SIGSTOP);
            page.types("/jit list").await;
            page.sees(
                ".messages",
                "/jit failed with the error \u{201c}operation_timeout\u{201d}",
            )
            .await;
            page.sees(".messages", "jitbot did not respond within three seconds.")
                .await;
            page.press("Approve").await;
            page.finds(css(".message button[aria-busy='true']")).await;
            page.sees(
                ".message .trouble:not([hidden])",
                "did not respond within three seconds",
            )
            .await;

            demo.signal_bot(Signal::SIGKILL);
            page.sees("#status", "jitbot is not connected").await;
            page.sees(".banner", "what you do now, it does not hear")
                .await;
            page.types("/jit list").await;
            page.sees(
                ".messages",
                "/jit failed with the error \u{201c}dispatch_failed\u{201d}",
            )
            .await;
            page.types("/jot list").await;
            page.sees(".messages", "/jot is not a valid command.").await;
            // A plain message needs no app.
            page.types("is anybody there?").await;
            page.until("Alice's own words", async || {
                page.text(".messages")
                    .await
                    .contains("is anybody there?")
                    .then_some(())
            })
            .await;
        },
    )
    .await;
}

//! The bot's own forms and Home tab on the page: asking, saying why not, asking for more time.

use crate::webdriver::css;

use crate::browser::{Browser, DESK, story};
use crate::first_minutes::{alice_asks, bob_approves};
use crate::house::demo;

/// Types into a field of the open form, in place of what stands there.
pub async fn writes(page: &Browser, block: &str, text: &str) {
    let selector = format!(
        "dialog[open] [data-block='{block}'] input, dialog[open] [data-block='{block}'] textarea"
    );
    let field = page.finds(css(&selector)).await;
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

/// Waits until no form is open.
pub async fn form_is_gone(page: &Browser) {
    page.until("no form", async || {
        (!page.shows("dialog[open]").await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_half_typed_command_becomes_a_form() {
    let demo = demo();
    story("a_half_typed_command", DESK, &demo.page, async |page| {
        page.become_("Alice").await;
        page.goes_to("approvals").await;
        page.types("/jit request staging-ssh 2h").await;
        page.sees("dialog[open] h2", "Ask for access").await;
        let chosen = "return document.querySelector('dialog[open] select').value;";
        assert_eq!(page.measure(chosen).await, "staging-ssh");
        writes(&page, "jitbot_duration", "9h").await;
        writes(&page, "jitbot_reason", "deploy is stuck").await;
        page.press("Ask").await;
        page.sees("dialog[open] [data-block='jitbot_duration']", "at most 8h")
            .await;
        writes(&page, "jitbot_duration", "2h").await;
        page.press("Ask").await;
        form_is_gone(&page).await;
        page.sees(".messages", "asks for staging-ssh for 2h").await;
        page.sees(".messages blockquote", "deploy is stuck").await;
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_somebody_stands_in_their_home() {
    let demo = demo();
    story("home_of_the_bot", DESK, &demo.page, async |page| {
        alice_asks(&page, "/jit request staging-ssh 1h deploy is stuck").await;
        page.become_("Bob").await;
        page.goes_to("jitbot: Home").await;
        page.sees(".home", "What waits for you").await;
        page.sees(".home", "Asked by @alice, in #approvals.").await;
        page.press("Ask for access…").await;
        page.sees("dialog[open] h2", "Ask for access").await;
        page.press("Cancel").await;
        form_is_gone(&page).await;
    })
    .await;
}

#[tokio::test]
async fn more_time_is_asked_for_on_the_reminder() {
    let demo = demo();
    story("more_time", DESK, &demo.page, async |page| {
        alice_asks(&page, "/jit request staging-ssh 1h deploy is stuck").await;
        bob_approves(&page).await;
        page.become_("Alice").await;
        page.goes_to("jitbot").await;
        page.sees("#light", "works now").await;
        page.press("To the reminder").await;
        page.sees(".messages", "Ends soon").await;
        page.press("Extend…").await;
        page.sees("dialog[open] h2", "Ask for more time").await;
        writes(&page, "jitbot_duration", "30m").await;
        page.press("Ask").await;
        form_is_gone(&page).await;
        page.become_("Bob").await;
        page.goes_to("approvals").await;
        page.sees(".messages", "30m more").await;
        page.press("Approve").await;
        page.become_("Alice").await;
        page.goes_to("jitbot").await;
        page.sees("#light", "works now").await;
        page.sees(".waits", "the end of staging-ssh, in 39m").await;
    })
    .await;
}

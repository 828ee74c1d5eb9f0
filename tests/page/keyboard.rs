//! Everything without a mouse.

use crate::webdriver::{Key, Typed, css};

use crate::browser::{Browser, DESK, story};
use crate::house::demo;

/// Goes on by Tab until the focus is on something whose words begin so.
async fn tab_to(page: &Browser, words: &str) {
    let mut passed = Vec::new();
    for _ in 0..60 {
        let here = page.focused().await;
        if here.starts_with(words) {
            let outline = page.measure("const style = getComputedStyle(document.activeElement); return style.outlineStyle !== 'none' || getComputedStyle(document.activeElement.parentElement).boxShadow !== 'none';").await;
            assert_eq!(outline, true, "the focus on {here:?} can't be seen");
            return;
        }
        passed.push(here);
        page.keys(Key::Tab + "").await;
    }
    panic!("Tab never came to {words:?}, but to {passed:#?}");
}

#[tokio::test]
async fn the_whole_way_by_keys_alone() {
    let demo = demo();
    story(
        "the_whole_way_by_keys_alone",
        DESK,
        &demo.page,
        async |page| {
            page.sees("#console", "As Alice, ask for access:").await;
            tab_to(&page, "Skip to the messages").await;
            tab_to(&page, "AAlice").await;
            page.keys(Key::Enter + "").await;
            tab_to(&page, "Message #approvals as Alice").await;
            // The command's name is completed, and what was sent comes back with the arrow.
            page.keys("/j").await;
            page.keys(Key::Tab + "").await;
            page.keys(Typed::from("request staging-ssh 1h by keys alone") + Key::Enter)
                .await;
            page.sees(".messages", "Asked: staging-ssh").await;
            page.keys(Key::Up + "").await;
            let typed = page
                .finds(css(".composer textarea"))
                .await
                .value()
                .await
                .unwrap();
            assert_eq!(
                typed.as_deref(),
                Some("/jit request staging-ssh 1h by keys alone")
            );
            page.keys(Key::Down + "").await;

            page.keys(Key::Alt + "2").await;
            page.sees(".person[aria-current='true']", "Bob").await;
            page.focus(css(".messages")).await;
            tab_to(&page, "Approve").await;
            page.keys(Key::Space + "").await;
            page.sees(".messages", "Approved by bob").await;
            page.keys(Key::Alt + "1").await;
            page.sees(".person[aria-current='true']", "Alice").await;
            page.focus(css(".person[aria-current='true']")).await;
            tab_to(&page, "\u{25cf}jitbot").await;
            page.keys(Key::Enter + "").await;
            page.sees(".messages", "Ready").await;
            page.sees("#light", "works now").await;
        },
    )
    .await;
}

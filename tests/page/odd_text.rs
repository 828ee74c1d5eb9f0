//! What people type stays text, whatever it is made of.

use crate::webdriver::css;

use crate::browser::{DESK, story};
use crate::house::demo;

#[tokio::test]
async fn markup_and_script_in_a_reason_stay_text() {
    let demo = demo();
    let reason = "<img src=x onerror=document.title='gone'><script>document.title='gone'</script> *bold* <!channel> <https://evil.example|click> javascript:alert(1)";
    story("markup_and_script_in_a_reason", DESK, &demo.page, async |page| {
        page.become_("Alice").await;
        page.types(&format!("/jit request staging-ssh 1h {reason}")).await;
        page.sees(".messages blockquote", reason).await;
        let marks = "return document.querySelectorAll('.message-body img, .message-body script, .message-body a, blockquote strong, blockquote .mention').length;";
        assert_eq!(page.measure(marks).await, 0);
        // A message of one's own goes through the chat's mrkdwn, and no further.
        page.types("see <b>this</b> https://a.example/?x=<script> and `<i>code</i>`").await;
        page.sees(".messages", "see <b>this</b>").await;
        assert_eq!(page.measure("return document.querySelectorAll('.message-body b, .message-body i, .message-body script').length;").await, 0);
        assert!(page.driver.title().await.unwrap().contains("Alice"));
    })
    .await;
}

#[tokio::test]
async fn long_words_and_other_scripts_fit() {
    let demo = demo();
    let long = format!(
        "{}{}",
        "x".repeat(700),
        " \u{627}\u{644}\u{633}\u{644}\u{627}\u{645} \u{639}\u{644}\u{64a}\u{643}\u{645} "
            .repeat(10)
    );
    story("long_words_and_other_scripts", DESK, &demo.page, async |page| {
        page.become_("Alice").await;
        page.types(&format!("/jit request staging-ssh 1h {long}")).await;
        page.sees(".messages blockquote", &"x".repeat(300)).await;
        let over = "const list = document.querySelector('.messages'); return [list.scrollWidth - list.clientWidth, document.documentElement.scrollWidth - innerWidth];";
        assert_eq!(page.measure(over).await, serde_json::json!([0, 0]));
        page.types("/jit request staging-ssh 1h \u{627}\u{644}\u{646}\u{634}\u{631} \u{645}\u{62a}\u{648}\u{642}\u{641}").await;
        page.press("Side by side").await;
        page.types("\u{627}\u{644}\u{646}\u{634}\u{631} \u{645}\u{62a}\u{648}\u{642}\u{641}").await;
        page.sees(".messages", "\u{627}\u{644}\u{646}\u{634}\u{631} \u{645}\u{62a}\u{648}\u{642}\u{641}").await;
        let direction = "const all = [...document.querySelectorAll('.message-body .text')]; return getComputedStyle(all.at(-1)).direction;";
        assert_eq!(page.measure(direction).await, "rtl", "right-to-left text begins on the right");
        let composer = page.finds(css(".composer textarea")).await;
        assert_eq!(composer.attr("dir").await.unwrap().as_deref(), Some("auto"));
    })
    .await;
}

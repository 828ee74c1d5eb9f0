//! How it looks and whom it keeps out: contrast and names by axe-core in light and dark, phone width,
//! motion.

use crate::webdriver::css;
use serde_json::Value;

use crate::app::{Chat, line_input, modal};
use crate::browser::{Browser, CALM, DARK, DESK, PHONE, Screen, story};
use crate::first_minutes::{alice_asks, bob_approves};
use crate::house::demo;

const ASK: &str = "/jit request staging-ssh 1h deploy is stuck";

/// Runs axe-core over what is shown; every violation that is serious or critical is a failure.
async fn is_accessible(page: &Browser, when: &str) {
    let axe = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/page/node_modules/axe-core/axe.min.js"
    );
    let axe = std::fs::read_to_string(axe)
        .expect("axe-core is not installed: run scripts/test --install");
    let script = format!(
        "{axe}\nconst done = arguments[arguments.length - 1];\
         axe.run(document, {{ resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }})\
         .then((found) => done({{ checked: found.passes.length, wrong: found.violations }}), (error) => done({{ error: String(error) }}));"
    );
    let found = page.driver.execute_async(&script).await.unwrap();
    assert!(
        found["checked"]
            .as_u64()
            .is_some_and(|checked| checked > 10),
        "axe checked nothing: {found}"
    );
    let wrong: Vec<String> = found["wrong"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| {
            matches!(
                one["impact"].as_str(),
                Some("serious" | "critical" | "moderate")
            )
        })
        .map(|one| {
            let nodes = one["nodes"].as_array().unwrap().iter();
            let nodes: Vec<String> = nodes
                .map(|node| format!("{} ({})", node["html"], node["failureSummary"]))
                .collect();
            format!("{}: {}\n  {}", one["id"], one["help"], nodes.join("\n  "))
        })
        .collect();
    assert!(wrong.is_empty(), "{when}:\n{}", wrong.join("\n"));
}

async fn everything_is_accessible(name: &str, screen: Screen) {
    let demo = demo();
    story(name, screen, &demo.page, async |page| {
        page.sees("#console", "As Alice, ask for access:").await;
        is_accessible(&page, "empty").await;
        alice_asks(&page, ASK).await;
        page.sees(".messages", "Access request").await;
        is_accessible(&page, "a card and a private answer").await;
        bob_approves(&page).await;
        is_accessible(&page, "a decided card").await;
        page.become_("Alice").await;
        page.goes_to("jitbot").await;
        page.sees("#light", "works now").await;
        is_accessible(&page, "a certificate and the light").await;
        page.press("To the end").await;
        page.sees("#light", "refused").await;
        page.press("Side by side").await;
        page.sees(".pane:nth-child(2)", "Apps").await;
        is_accessible(&page, "two people side by side").await;
    })
    .await;
}

#[tokio::test]
async fn accessible_in_light() {
    everything_is_accessible("accessible_in_light", DESK).await;
}

#[tokio::test]
async fn accessible_in_dark() {
    everything_is_accessible("accessible_in_dark", DARK).await;
}

#[tokio::test]
async fn the_theme_is_the_systems_or_ones_own() {
    let chat = Chat::start().await;
    story("themes", DARK, &chat.page(), async |page| {
        let ground = "return getComputedStyle(document.body).backgroundColor;";
        page.sees("#theme", "Theme: system").await;
        let dark = page.measure(ground).await;
        page.press("Theme: system").await;
        page.sees("#theme", "Theme: light").await;
        let light = page.measure(ground).await;
        assert_eq!(light, "rgb(255, 255, 255)");
        assert_ne!(dark, light);
        page.driver.refresh().await.unwrap();
        page.sees("#theme", "Theme: light").await;
        page.press("Theme: light").await;
        assert_eq!(page.measure(ground).await, dark, "and it is kept");
    })
    .await;
}

/// Forms and trouble, which the bot of the demo need not have.
async fn forms_are_accessible(name: &str, screen: Screen) {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        Box::pin(async move {
            if envelope["type"] == "slash_commands" {
                let view = modal("Ask", serde_json::json!([line_input("why", "Why", ""), line_input("what", "What", "x")]));
                api.call("views.open", serde_json::json!({ "trigger_id": envelope["payload"]["trigger_id"], "view": view })).await;
                return crate::app::Ack::Empty;
            }
            crate::app::Ack::With(serde_json::json!({ "response_action": "errors", "errors": { "why": "Say more." } }))
        })
    })
    .await;
    story(name, screen, &chat.page(), async |page| {
        page.types("/tiny ask").await;
        page.sees("dialog[open]", "Ask").await;
        is_accessible(&page, "a form").await;
        page.finds(css("dialog[open] [data-block='why'] input"))
            .await
            .send_keys("bad")
            .await
            .unwrap();
        page.press("Send it").await;
        page.sees("dialog[open]", "Say more.").await;
        is_accessible(&page, "a form with an error").await;
        fits(&page, "a form").await;
    })
    .await;
}

#[tokio::test]
async fn forms_accessible_in_light() {
    forms_are_accessible("forms_accessible_in_light", DESK).await;
}

#[tokio::test]
async fn forms_accessible_in_dark() {
    forms_are_accessible("forms_accessible_in_dark", DARK).await;
}

#[tokio::test]
async fn forms_accessible_on_a_phone() {
    forms_are_accessible("forms_accessible_on_a_phone", PHONE).await;
}

/// Nothing that is shown reaches over the right edge, and nothing scrolls sideways.
async fn fits(page: &Browser, when: &str) {
    let script = "
        const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 0;
        const scrolled = (one) => { for (let at = one.parentElement; at; at = at.parentElement) if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return true; return false; };
        const over = [...document.body.querySelectorAll('*')].filter((one) => shown(one) && !one.closest('.unseen') && one.getBoundingClientRect().right > innerWidth + 0.5 && !scrolled(one));
        const sideways = [document.documentElement, ...document.querySelectorAll('.messages, .dialog-body, .console, .side, pre')].filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0);
        return [...over, ...sideways].map((one) => one.tagName + '.' + one.className + ' ' + one.scrollWidth + ' of ' + innerWidth);";
    let wide = page.measure(script).await;
    assert_eq!(wide, Value::Array(Vec::new()), "{when}: too wide");
}

#[tokio::test]
async fn a_phone_shows_everything_without_sideways_scrolling() {
    let demo = demo();
    story("a_phone", PHONE, &demo.page, async |page| {
        page.finds(css(".menu")).await;
        assert_eq!(page.measure("return innerWidth;").await, 360);
        let side = async |name: &str| {
            page.click(css(".menu")).await;
            fits(&page, "the list of people").await;
            page.become_(name).await;
        };
        side("Alice").await;
        page.types(&format!("{ASK} {}", "word".repeat(60))).await;
        page.sees(".messages", "Access request").await;
        fits(&page, "a card").await;
        side("Bob").await;
        page.press("Approve").await;
        page.sees(".messages", "Approved by bob").await;
        side("Alice").await;
        page.sees(".menu", "Alice").await;
        page.click(css(".menu")).await;
        page.click(css("[data-place='direct']")).await;
        page.sees(".messages", "Ready").await;
        fits(&page, "a certificate").await;
        page.press("Demo").await;
        page.sees("#light", "works now").await;
        fits(&page, "the console").await;
        is_accessible(&page, "the console on a phone").await;
    })
    .await;
}

#[tokio::test]
async fn whoever_wants_no_motion_gets_none() {
    let chat = Chat::start().await;
    let moves = "return [...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s').length;";
    story("some_motion", DESK, &chat.page(), async |page| {
        page.sees(".side", "Alice").await;
        assert_ne!(
            page.measure(moves).await,
            0,
            "there is motion for those who like it"
        );
    })
    .await;
    story("no_motion", CALM, &chat.page(), async |page| {
        page.sees(".side", "Alice").await;
        assert_eq!(page.measure(moves).await, 0);
    })
    .await;
}

//! Block Kit drawn for people: every kind of block, text and element that the sandbox takes.

use crate::webdriver::{Key, css};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::app::{Ack, Chat, plain};
use crate::browser::{DESK, story};

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text })
}

/// 2026-01-01 00:00 UTC: in Berlin it is one in the morning, in New York still the year before.
const NEW_YEAR: i64 = 1_767_225_600;

fn blocks() -> Value {
    json!([
        { "type": "header", "text": plain("A header :tada:") },
        { "type": "section", "text": mrkdwn("*bold* _italic_ ~struck~ `code` <@U0ALICE> <#C0GENERAL> <!subteam^S0SRE> <!here> 1 &lt; 2 &amp;&amp; snake_case_word 2*3*4"),
          "fields": [mrkdwn("*Left*"), plain("Right *plain*")],
          "accessory": { "type": "button", "action_id": "beside", "text": plain("Beside") } },
        { "type": "section", "text": mrkdwn("> quoted\nafter\n```\nfenced <https://no.example|as it is>\n```\n<https://a.example/?a=1&amp;b=2|the page> <javascript:alert(1)|not a link> <mailto:a@b.example|mail>") },
        { "type": "section", "text": mrkdwn(&format!("at <!date^{NEW_YEAR}^{{date_num}} {{time}}|never> and <!date^{NEW_YEAR}^{{nonsense}}|the fallback>")) },
        { "type": "divider" },
        { "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [
                { "type": "text", "text": "strong", "style": { "bold": true } }, { "type": "text", "text": " <b>as typed</b> " },
                { "type": "user", "user_id": "U0BOB" }, { "type": "text", "text": " " }, { "type": "emoji", "name": "key", "unicode": "1f511" },
                { "type": "date", "timestamp": NEW_YEAR, "format": " {date_num} {time}", "fallback": "never" } ] },
            { "type": "rich_text_list", "style": "ordered", "elements": [
                { "type": "rich_text_section", "elements": [{ "type": "text", "text": "first" }] },
                { "type": "rich_text_section", "elements": [{ "type": "text", "text": "second" }] } ] },
            { "type": "rich_text_quote", "elements": [{ "type": "text", "text": "a quote" }] },
            { "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": "  as  it  is" }] } ] },
        { "type": "image", "image_url": "https://a.example/chart.png", "alt_text": "a chart of grants", "title": plain("Chart") },
        { "type": "context", "elements": [mrkdwn("a *context*"), { "type": "image", "image_url": "https://a.example/x.png", "alt_text": "a sign" }] },
        { "type": "actions", "block_id": "acts", "elements": [
            { "type": "button", "action_id": "yes", "style": "primary", "text": plain("Go ahead"), "value": "v1" },
            { "type": "button", "action_id": "no", "style": "danger", "text": plain("Stop it"), "value": "v2",
              "confirm": { "title": plain("Sure?"), "text": plain("It can't be taken back."), "confirm": plain("Stop"), "deny": plain("Keep"), "style": "danger" } },
            { "type": "static_select", "action_id": "pick", "placeholder": plain("Pick one"), "options": [
                { "text": plain("One"), "value": "1" }, { "text": plain("Two"), "value": "2" }] },
            { "type": "overflow", "action_id": "more", "options": [{ "text": plain("Archive"), "value": "archive" }] } ] },
    ])
}

#[tokio::test]
async fn every_kind_of_block_is_drawn_in_the_readers_own_terms() {
    let chat = Chat::start().await;
    chat.connect_silently().await;
    chat.api
        .post("C0GENERAL", "the text for notifications", blocks())
        .await;
    story("every_kind_of_block", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.goes_to("general").await;
        page.sees(".messages", "A header \u{1f389}").await;
        let text = page.text(".messages").await;
        for words in [
            "bold italic struck code @alice #general @sre @here 1 < 2 && snake_case_word 2*3*4",
            "Left", "Right *plain*", "Beside", "quoted", "fenced <https://no.example|as it is>", "the page", "not a link",
            "at 2026-01-01 1:00 AM and the fallback", "strong <b>as typed</b> @bob \u{1f511} 2026-01-01 1:00 AM",
            "first", "second", "a quote", "  as  it  is", "Chart", "a chart of grants", "a context", "a sign", "Go ahead", "Stop it",
        ] {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
        }
        assert!(!text.contains("for notifications"), "blocks stand in place of the text");
        for (css, words) in [
            (".section strong", "bold"), (".section em", "italic"), (".section s", "struck"), (".section code", "code"),
            (".section blockquote", "quoted"), (".mention.mine", "@alice"), (".rich strong", "strong"), (".rich-text ol li", "first"),
            (".act.primary:not(.send)", "Go ahead"), (".act.danger", "Stop it"), ("h2.header", "A header"),
        ] {
            assert!(page.text(css).await.contains(words), "{words:?} is no {css}");
        }
        let links = page.measure("return [...document.querySelectorAll('.message a')].map((one) => one.href + ' ' + one.rel + ' ' + one.target);").await;
        let links: Vec<&str> = links.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(links.len(), 4, "{links:?}");
        assert_eq!(links[0], "https://a.example/?a=1&b=2 noopener noreferrer _blank");
        let fetched = page.measure("return performance.getEntriesByType('resource').map((one) => new URL(one.name).host).filter((host) => host !== location.host);").await;
        assert_eq!(fetched, json!([]), "nothing is fetched from outside");

        page.become_("Bob").await;
        page.goes_to("general").await;
        page.sees(".messages", "at 2025-12-31 7:00 PM").await;
        page.sees(".mention.mine", "@sre").await;
    })
    .await;
}

#[tokio::test]
async fn presses_choices_and_confirmations_reach_the_app() {
    let chat = Chat::start().await;
    chat.connect_silently().await;
    chat.api
        .post("C0GENERAL", "the text for notifications", blocks())
        .await;
    let pressed = async || -> Vec<String> {
        let log = chat.people.log().await.unwrap();
        let all = log
            .envelopes
            .into_iter()
            .filter(|one| one.payload["type"] == "block_actions");
        all.map(|one| {
            let action = &one.payload["actions"][0];
            format!(
                "{}={}",
                action["action_id"].as_str().unwrap(),
                action["value"]
                    .as_str()
                    .or(action["selected_option"]["value"].as_str())
                    .unwrap_or("")
            )
        })
        .collect()
    };
    story(
        "presses_and_confirmations",
        DESK,
        &chat.page(),
        async |page| {
            page.become_("Alice").await;
            page.goes_to("general").await;
            page.press("Go ahead").await;
            page.until("the press", async || {
                (pressed().await == ["yes=v1"]).then_some(())
            })
            .await;
            page.press("Stop it").await;
            page.sees("dialog[open]", "It can't be taken back.").await;
            assert_eq!(
                page.focused().await,
                "Keep",
                "what changes nothing has the focus"
            );
            page.keys(Key::Escape + "").await;
            page.until("no question", async || {
                (!page.shows("dialog[open]").await).then_some(())
            })
            .await;
            page.press("Stop it").await;
            page.press("Stop").await;
            page.until("the second press", async || {
                (pressed().await == ["yes=v1", "no=v2"]).then_some(())
            })
            .await;
            page.finds(css(".actions select"))
                .await
                .send_keys("Two")
                .await
                .unwrap();
            page.until("the choice", async || {
                (pressed().await.last().unwrap() == "pick=2").then_some(())
            })
            .await;
            page.click(css(".overflow summary")).await;
            page.press("Archive").await;
            page.until("the menu's choice", async || {
                (pressed().await.last().unwrap() == "more=archive").then_some(())
            })
            .await;
        },
    )
    .await;
}

#[tokio::test]
async fn who_sees_what_and_what_is_new() {
    let chat = Chat::start().await;
    chat.connect_silently().await;
    story("who_sees_what", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        let places = page.text("nav").await;
        assert!(
            places.contains("general") && places.contains("old") && !places.contains("secret"),
            "{places}"
        );
        page.goes_to("old").await;
        page.sees(".composer-closed", "archived").await;
        assert!(!page.shows(".composer textarea").await);
        page.goes_to("general").await;

        // A message that calls Bob is marked as such; one that only stands there is counted.
        let first = chat.api.post("C0GENERAL", "quiet", json!([])).await;
        page.sees("[data-person='bob'] .badge", "1").await;
        assert!(!page.shows("[data-person='bob'] .badge.called").await);
        chat.api
            .call(
                "chat.postMessage",
                json!({ "channel": "C0GENERAL", "text": "<!subteam^S0SRE> look" }),
            )
            .await;
        page.sees("[data-person='bob'] .badge.called", "2").await;
        chat.api
            .call(
                "chat.postEphemeral",
                json!({ "channel": "C0GENERAL", "user": "U0ALICE", "text": "psst" }),
            )
            .await;
        page.sees(".message.private", "Only visible to you").await;
        chat.api
            .call(
                "chat.postMessage",
                json!({ "channel": "C0GENERAL", "text": "a reply", "thread_ts": first }),
            )
            .await;
        page.sees(".thread", "1 reply").await;
        page.sees(".thread", "a reply").await;
        chat.api
            .call(
                "chat.update",
                json!({ "channel": "C0GENERAL", "ts": first, "text": "said otherwise" }),
            )
            .await;
        page.sees(".messages", "said otherwise").await;
        page.sees(".messages", "(edited)").await;

        page.become_("Bob").await;
        page.goes_to("general").await;
        page.until("all read", async || {
            (!page.shows("[data-person='bob'] .badge").await).then_some(())
        })
        .await;
        assert!(!page.text(".messages").await.contains("psst"));
        page.goes_to("secret").await;
        page.become_("Gwen").await;
        assert!(
            !page.text("nav").await.contains("general"),
            "a guest sees only where they are"
        );
        page.sees(".place-head", "tiny").await;
    })
    .await;
}

#[tokio::test]
async fn the_home_tab_is_asked_for_and_drawn() {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        async move {
            let event = &envelope["payload"]["event"];
            if event["type"] == "app_home_opened" {
                let view = json!({ "type": "home", "blocks": [
                    { "type": "section", "text": { "type": "mrkdwn", "text": "Home of *tiny*" } },
                    { "type": "actions", "elements": [{ "type": "button", "action_id": "home_go", "text": plain("From home") }] } ] });
                api.call("views.publish", json!({ "user_id": event["user"], "view": view })).await;
            }
            Ack::Empty
        }
        .boxed()
    })
    .await;
    story("home_tab", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.goes_to("tiny: Home").await;
        page.sees(".home", "Home of tiny").await;
        assert!(!page.shows(".composer textarea").await);
        page.press("From home").await;
        page.until("the press", async || {
            let log = chat.people.log().await.unwrap();
            log.envelopes
                .iter()
                .any(|one| one.payload["actions"][0]["action_id"] == "home_go")
                .then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "it looks whether anything happens while nothing happens"
)]
async fn nothing_is_asked_for_while_nothing_happens() {
    let chat = Chat::start().await;
    chat.connect_silently().await;
    story("no_polling", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.sees(".empty", "Nothing in #general yet").await;
        let asked = "return performance.getEntriesByType('resource').length;";
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        let before = page.measure(asked).await;
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        assert_eq!(page.measure(asked).await, before);
        chat.api
            .call(
                "chat.postMessage",
                json!({ "channel": "C0GENERAL", "text": "and then" }),
            )
            .await;
        page.sees(".messages", "and then").await;
    })
    .await;
}

#[tokio::test]
async fn a_button_opens_only_addresses_that_a_person_may_follow() {
    let chat = Chat::start().await;
    chat.connect_silently().await;
    let button = |label: &str, url: &str| json!({ "type": "button", "action_id": label, "text": plain(label), "url": url });
    let buttons = json!([{ "type": "actions", "elements": [
        button("Script", "javascript:document.title='gone'"),
        button("File", "file:///etc/hostname"),
        button("Nowhere", "no address"),
        button("Page", "https://a.example/"),
    ] }]);
    chat.api.post("C0GENERAL", "addresses", buttons).await;
    story("addresses_of_buttons", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.goes_to("general").await;
        page.measure("window.opened = []; window.open = (address) => { window.opened.push(address); }; return true;").await;
        for label in ["Script", "File", "Nowhere", "Page"] {
            page.press(label).await;
        }
        page.until("the presses", async || {
            let log = chat.people.log().await.unwrap();
            let presses = log.envelopes.iter().filter(|one| one.payload["type"] == "block_actions");
            (presses.count() == 4).then_some(())
        })
        .await;
        assert_eq!(page.measure("return window.opened;").await, json!(["https://a.example/"]));
    })
    .await;
}

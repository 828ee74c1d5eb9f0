//! Modal forms: stacked, prefilled, refused beside the field, slow, left.

use std::time::Duration;

use crate::webdriver::{By, Element, Key, css};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::app::{Ack, Api, Chat, line_input, modal, plain};
use crate::browser::{Browser, DESK, story};

async fn open(api: &Api, envelope: &Value, view: Value) -> Ack {
    let trigger = &envelope["payload"]["trigger_id"];
    api.call("views.open", json!({ "trigger_id": trigger, "view": view }))
        .await;
    Ack::Empty
}

fn many_inputs() -> Value {
    let options = |names: &[&str]| {
        names
            .iter()
            .map(|name| json!({ "text": plain(name), "value": name.to_lowercase() }))
            .collect::<Vec<_>>()
    };
    modal(
        "Ask for access",
        json!([
            { "type": "section", "text": { "type": "mrkdwn", "text": "For *staging*, <@U0ALICE>" } },
            line_input("why", "Why", "deploy is stuck"),
            { "type": "input", "block_id": "how_long", "label": plain("How long"),
              "element": { "type": "static_select", "action_id": "hours", "options": options(&["1h", "4h"]), "initial_option": options(&["4h"])[0] } },
            { "type": "input", "block_id": "risk", "label": plain("Risk"),
              "element": { "type": "radio_buttons", "action_id": "risk", "options": options(&["Low", "High"]) } },
            { "type": "input", "block_id": "also", "optional": true, "label": plain("Also tell"),
              "element": { "type": "checkboxes", "action_id": "also", "options": options(&["Security", "Boss"]), "initial_options": options(&["Boss"]) } },
            { "type": "input", "block_id": "who", "optional": true, "label": plain("Whom"),
              "element": { "type": "users_select", "action_id": "who", "initial_user": "U0BOB" } },
            { "type": "input", "block_id": "day", "optional": true, "label": plain("From"),
              "element": { "type": "datepicker", "action_id": "day", "initial_date": "2026-11-26" } },
            { "type": "input", "block_id": "long", "optional": true, "label": plain("In long"),
              "element": { "type": "plain_text_input", "action_id": "long", "multiline": true } },
        ]),
    )
}

/// What the app was sent by the last submission.
async fn submitted(chat: &Chat) -> Value {
    let log = chat.people.log().await.unwrap();
    let last = log
        .envelopes
        .into_iter()
        .rev()
        .find(|one| one.payload["type"] == "view_submission")
        .unwrap();
    last.payload["view"]["state"]["values"].clone()
}

async fn field(page: &Browser, label: &str) -> Element {
    page.finds(By::XPath(format!(
        "//dialog[@open]//label[starts-with(normalize-space(.), '{label}')]"
    )))
    .await
}

#[tokio::test]
async fn what_was_prefilled_and_changed_is_sent_as_it_stands_there() {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        async move {
            if envelope["type"] == "slash_commands" {
                open(&api, &envelope, many_inputs()).await
            } else {
                Ack::Empty
            }
        }
        .boxed()
    })
    .await;
    story("prefilled_form", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.types("/tiny ask").await;
        page.sees("dialog[open]", "Ask for access").await;
        page.sees("dialog[open]", "For staging, @alice").await;
        let why = page
            .finds(css("dialog[open] [data-block='why'] input"))
            .await;
        assert_eq!(
            why.value().await.unwrap().as_deref(),
            Some("deploy is stuck")
        );
        assert_eq!(
            page.focused().await,
            "Why",
            "the first field has the focus, with its label"
        );

        // Without a choice where one is needed, nothing is sent and the field says why.
        page.press("Send it").await;
        page.sees(
            "dialog[open] [data-block='risk']",
            "Please complete this required field.",
        )
        .await;
        field(&page, "Low").await.click().await.unwrap();
        let why = page
            .finds(css("dialog[open] [data-block='why'] input"))
            .await;
        why.clear().await.unwrap();
        why.send_keys("other words").await.unwrap();
        field(&page, "Security").await.click().await.unwrap();
        page.press("Send it").await;
        page.until("the form closed", async || {
            (!page.shows("dialog[open]").await).then_some(())
        })
        .await;
        let values = submitted(&chat).await;
        assert_eq!(values["why"]["why_typed"]["value"], "other words");
        assert_eq!(
            values["how_long"]["hours"]["selected_option"]["value"], "4h",
            "{values}"
        );
        assert_eq!(values["risk"]["risk"]["selected_option"]["value"], "low");
        let also: Vec<&str> = values["also"]["also"]["selected_options"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["value"].as_str())
            .collect();
        assert_eq!(also, ["security", "boss"]);
        assert_eq!(values["who"]["who"]["selected_user"], "U0BOB");
        assert_eq!(values["day"]["day"]["selected_date"], "2026-11-26");
        // Focus is back where it was.
        assert!(
            page.focused().await.starts_with("Message #general"),
            "{}",
            page.focused().await
        );
    })
    .await;
}

#[tokio::test]
async fn errors_stand_beside_the_field_and_what_was_typed_stays() {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        async move {
            if envelope["type"] == "slash_commands" {
                return open(&api, &envelope, modal("Ask", json!([line_input("why", "Why", ""), line_input("what", "What", "x")]))).await;
            }
            let typed = &envelope["payload"]["view"]["state"]["values"]["why"]["why_typed"]["value"];
            if typed == "good" { Ack::Empty } else { Ack::With(json!({ "response_action": "errors", "errors": { "why": "Say more than <that>." } })) }
        }
        .boxed()
    })
    .await;
    story(
        "errors_beside_the_field",
        DESK,
        &chat.page(),
        async |page| {
            page.become_("Alice").await;
            page.types("/tiny ask").await;
            let why = page
                .finds(css("dialog[open] [data-block='why'] input"))
                .await;
            why.send_keys("bad").await.unwrap();
            page.keys(Key::Enter + "").await;
            page.sees("dialog[open] [data-block='why']", "Say more than <that>.")
                .await;
            let why = page
                .finds(css("dialog[open] [data-block='why'] input"))
                .await;
            assert_eq!(why.value().await.unwrap().as_deref(), Some("bad"));
            assert_eq!(
                why.attr("aria-invalid").await.unwrap().as_deref(),
                Some("true")
            );
            let described = why.attr("aria-describedby").await.unwrap().unwrap();
            let said = page
                .text(&format!("#{}", described.split(' ').next().unwrap()))
                .await;
            assert!(
                said.contains("Say more"),
                "a reader hears the error with the field: {said}"
            );
            why.clear().await.unwrap();
            why.send_keys("good").await.unwrap();
            page.press("Send it").await;
            page.until("the form closed", async || {
                (!page.shows("dialog[open]").await).then_some(())
            })
            .await;
        },
    )
    .await;
}

#[tokio::test]
async fn forms_stack_and_are_left_one_by_one() {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        async move {
            let payload = &envelope["payload"];
            if envelope["type"] == "slash_commands" {
                let more = json!({ "type": "actions", "elements": [{ "type": "button", "action_id": "more", "text": plain("More") }] });
                return open(&api, &envelope, modal("First", json!([more, line_input("why", "Why", "")]))).await;
            }
            if payload["type"] == "block_actions" {
                let view = modal("Second", json!([line_input("detail", "Detail", "")]));
                api.call("views.push", json!({ "trigger_id": payload["trigger_id"], "view": view })).await;
            }
            Ack::Empty
        }
        .boxed()
    })
    .await;
    story("stacked_forms", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.types("/tiny ask").await;
        page.sees("dialog[open] h2", "First").await;
        page.press("More").await;
        page.sees("dialog[open] h2", "Second").await;
        page.sees("dialog[open]", "2 of a stack").await;
        // The focus can't leave the form by Tab.
        for _ in 0..12 {
            page.keys(Key::Tab + "").await;
            let inside = page.measure("return Boolean(document.activeElement.closest('dialog[open]')) || document.activeElement === document.body;").await;
            assert_eq!(inside, true, "{}", page.focused().await);
        }
        page.finds(css("dialog[open] [data-block='detail'] input")).await.click().await.unwrap();
        page.keys(Key::Escape + "").await;
        page.sees("dialog[open] h2", "First").await;
        page.press("Leave").await;
        page.until("no form", async || (!page.shows("dialog[open]").await).then_some(())).await;
        assert!(page.focused().await.starts_with("Message #general"), "{}", page.focused().await);
    })
    .await;
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the app of this story is slow on purpose"
)]
async fn a_slow_app_is_waited_for_and_a_dead_one_is_told() {
    let chat = Chat::start().await;
    chat.connect(|api, envelope| {
        async move {
            if envelope["type"] == "slash_commands" {
                return open(&api, &envelope, modal("Ask", json!([line_input("why", "Why", "")]))).await;
            }
            match envelope["payload"]["view"]["state"]["values"]["why"]["why_typed"]["value"].as_str() {
                Some("slow") => {
                    tokio::time::sleep(Duration::from_millis(1_200)).await;
                    Ack::With(json!({ "response_action": "update", "view": modal("Thanks", json!([line_input("else", "Anything else", "")])) }))
                }
                _ => Ack::Never,
            }
        }
        .boxed()
    })
    .await;
    story("slow_app", DESK, &chat.page(), async |page| {
        page.become_("Alice").await;
        page.types("/tiny ask").await;
        page.finds(css("dialog[open] [data-block='why'] input"))
            .await
            .send_keys("dead")
            .await
            .unwrap();
        page.press("Send it").await;
        page.finds(css("dialog[open] button[aria-busy='true']"))
            .await;
        page.sees(
            "dialog[open] .trouble",
            "We had some trouble connecting. Try again?",
        )
        .await;
        page.sees(
            "dialog[open] .trouble",
            "did not respond within three seconds",
        )
        .await;
        let why = page
            .finds(css("dialog[open] [data-block='why'] input"))
            .await;
        assert_eq!(
            why.value().await.unwrap().as_deref(),
            Some("dead"),
            "nothing that was typed is lost"
        );
        why.clear().await.unwrap();
        why.send_keys("slow").await.unwrap();
        page.press("Send it").await;
        page.finds(css("dialog[open] button[aria-busy='true']"))
            .await;
        page.sees("dialog[open] h2", "Thanks").await;
        assert!(!page.shows("dialog[open] .trouble").await);
    })
    .await;
}

//! An operator rehearses their own config.

use std::process::{Command, Output};

use crate::webdriver::{Key, css};

use crate::browser::{DESK, story};
use crate::house::Demo;

const OWN: &str = r##"
[slack]
bot_token = { env = "OUR_BOT_TOKEN" }
app_token = { env = "OUR_APP_TOKEN" }
[store]
url = "sqlite:///var/lib/jitbot/jitbot.db"
[security]
people   = ["person:zoe"]
channels = ["slack:#audit"]
digest   = { cron = "0 9 * * *", time_zone = "Asia/Tokyo" }
[group.devs]
members = ["person:mia", "slack:T9/U9OTHER"]
[person.mia]
accounts  = ["slack:T9/U9MIA"]
ssh_keys  = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB mia@laptop"]
time_zone = "Asia/Tokyo"
[person.omar]
accounts  = ["slack:T9/U9OMAR"]
[person.zoe]
accounts  = ["slack:T9/U9ZOE"]
[issuer.edge-ca]
kind   = "ssh-ca"
ca_key = { file = "/etc/jitbot/edge" }
krl    = { push = { program = ["/usr/local/bin/push-krl"], hosts = ["web1"] } }
target = "the edge hosts"
[issuer.core-ca]
kind   = "ssh-ca"
ca_key = { env = "CORE_CA" }
krl    = { path = "/etc/ssh/core.krl" }
target = "the core hosts"
[resource.edge]
title = "Shell at the edge"
project = "edge"
action = "shell"
risk = "low"
issuer = "edge-ca"
grant = { principals = ["ops"], force_command = "/usr/bin/touch /tmp/jitbot-was-here", source_address = ["10.0.0.0/8"] }
duration = { default = "20m", max = "2h" }
request = ["group:devs"]
approve = [{ from = ["person:omar"], count = 1 }]
channels = ["slack:#edge-access"]
remind = ["5m"]
[resource.core]
title = "Shell at the core"
project = "core"
action = "shell"
risk = "high"
issuer = "core-ca"
grant = { principals = ["ops"] }
duration = { default = "10m", max = "1h" }
request = ["group:devs"]
approve = [{ from = ["person:omar"], count = 1 }]
channels = ["slack:C0COREONE"]
"##;

fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[tokio::test]
async fn an_own_config_is_rehearsed_with_its_own_people() {
    let (_folder, path) = written(OWN);
    let demo = Demo::of(&path);
    for replaced in [
        "slack.bot_token",
        "slack.api_url",
        "store.url",
        "issuer.edge-ca.krl",
        "person.mia.ssh_keys",
        "resource.edge.grant.force_command",
        "resource.edge.grant.source_address",
    ] {
        assert!(demo.said.contains(replaced), "{replaced} in {}", demo.said);
    }
    story("an_own_config", DESK, &demo.page, async |page| {
        let people = page
            .until("people", async || {
                Some(page.text(".side").await).filter(|text| text.contains("Zoe"))
            })
            .await;
        for name in ["Mia", "Omar", "Zoe", "U9other"] {
            assert!(people.contains(name), "{name} in {people}");
        }
        page.sees("#console", "own.toml").await;
        page.sees("#console", "/jit request edge 20m deploy is stuck")
            .await;
        page.click(css(".replaced summary")).await;
        page.sees(".replaced", "resource.edge.grant.force_command")
            .await;
        page.press("Type it for me").await;
        page.sees(".person[aria-current='true']", "Mia").await;
        page.sees(".place-head", "#edge-access").await;
        page.keys(Key::Enter + "").await;
        page.sees(".messages", "Asked: edge for 20m").await;
        page.become_("Omar").await;
        page.press("Approve").await;
        page.sees(".messages", "Approved by omar").await;
        page.become_("Mia").await;
        page.sees("#light", "Mia: works now").await;
        assert!(
            !std::path::Path::new("/tmp/jitbot-was-here").exists(),
            "a config's command must not run here"
        );

        // What another issuer gives opens nothing here, and the page says so instead of a light that lies.
        page.goes_to("c0coreone").await;
        page.types("/jit request core 10m and the core").await;
        page.sees(".messages", "Asked: core for 10m").await;
        page.become_("Omar").await;
        page.goes_to("c0coreone").await;
        page.press("Approve").await;
        page.become_("Mia").await;
        page.sees(".elsewhere", "a certificate for the core hosts")
            .await;
        page.sees(".elsewhere", "it can't be tried").await;
        page.sees("#light", "Mia: works now").await;
        // The core's end comes first.
        page.goes_to("jitbot").await;
        page.press("To the end").await;
        page.sees(".messages", "core for 10m").await;
        page.sees(".messages", "is over").await;
        page.until("time to stand still again", async || {
            let end = page.finds(css("[data-wait='end']")).await;
            end.is_enabled().await.ok()?.then_some(())
        })
        .await;
        page.press("To the end").await;
        page.sees("#light", "Mia: refused").await;
    })
    .await;
}

/// All groups are the chat's own, and the issuer's hosts get no list.
const BY_THE_CHAT: &str = r##"
[slack]
bot_token = { env = "OUR_BOT_TOKEN" }
app_token = { env = "OUR_APP_TOKEN" }
[store]
url = "sqlite:///var/lib/jitbot/jitbot.db"
[security]
people   = ["group:security"]
channels = ["slack:#security"]
digest   = { cron = "0 9 * * *", time_zone = "Europe/Berlin" }
[group.engineering]
slack_usergroup = "engineering"
[group.sre]
slack_usergroup = "sre"
[group.security]
slack_usergroup = "security"
[issuer.staging-ca]
kind   = "ssh-ca"
ca_key = { file = "/etc/jitbot/staging-ca" }
[resource.staging-ssh]
title    = "Shell on the staging hosts"
project  = "shop-staging"
action   = "shell"
risk     = "low"
issuer   = "staging-ca"
grant    = { principals = ["deploy"] }
duration = { default = "1h", max = "8h" }
request  = ["group:engineering"]
approve  = [{ from = ["group:sre"], count = 1 }]
channels = ["slack:#approvals"]
"##;

#[tokio::test]
async fn people_are_made_up_for_the_chats_own_groups() {
    let (_folder, path) = written(BY_THE_CHAT);
    let demo = Demo::of(&path);
    assert!(demo.said.contains("Made up, for groups"), "{}", demo.said);
    story("made_up_people", DESK, &demo.page, async |page| {
        let groups = [
            ("Ada", "@engineering"),
            ("Cleo", "@security"),
            ("Eli", "@sre"),
        ];
        for (name, group) in groups {
            let person = format!("[data-person='{}']", name.to_lowercase());
            page.sees(&person, group).await;
        }
        page.press("Type it for me").await;
        page.sees(".person[aria-current='true']", "Ada").await;
        page.keys(Key::Enter + "").await;
        page.sees(".messages", "Asked: staging-ssh for 1h").await;
        page.become_("Eli").await;
        page.press("Approve").await;
        page.sees(".messages", "Approved by").await;
        page.become_("Ada").await;
        page.sees("#light", "Ada: works now").await;
        page.click(css(".replaced summary")).await;
        page.sees("#console", "ada is made up").await;
    })
    .await;
}

fn refused(text: &str) -> (Output, String) {
    let (_folder, path) = written(text);
    let output = Command::new(env!("CARGO_BIN_EXE_jitbot"))
        .args(["demo", "--page-only", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

#[test]
fn a_config_that_can_not_be_rehearsed_says_why_where() {
    let (output, said) = refused(
        &OWN.replace("risk = \"high\"", "risk = \"huge\"")
            .replace("max = \"2h\"", "max = \"8x\""),
    );
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("own.toml:48: resource.core.risk") || said.contains("resource.core.risk"),
        "{said}"
    );
    assert!(
        said.contains("resource.edge.duration.max"),
        "all at once: {said}"
    );
    assert!(said.contains("Nothing was started."), "{said}");

    let (output, said) = refused(&OWN.replace("slack:T9/U9OTHER", "slack:T8/U9OTHER"));
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = OWN
        .lines()
        .position(|line| line.contains("U9OTHER"))
        .unwrap()
        + 1;
    assert!(said.contains(&format!("own.toml:{line}: ")), "{said}");
    assert!(said.contains("two workspaces"), "{said}");
}

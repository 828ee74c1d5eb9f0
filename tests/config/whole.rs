//! The file as a whole: all problems at once, warnings, secrets, values.

use crate::*;

#[test]
fn every_problem_is_said_at_once_in_the_order_of_the_file() {
    let text = "[slack]\nbot_token = \"xoxb-secret\"\n[store]\nurl = 1\n[group.a]\nmembers = [\"person:x\"]\n[resource.r]\ntitle = 5\n";
    let found = problems(text);
    let lines: Vec<&str> = found.iter().filter_map(|p| p.split(": ").nth(1)).collect();
    assert_eq!(
        lines,
        [
            "security",
            "slack.app_token",
            "slack.bot_token",
            "store.url",
            "group.a.members[0]",
            "resource.r.project",
            "resource.r.action",
            "resource.r.risk",
            "resource.r.issuer",
            "resource.r.grant",
            "resource.r.duration",
            "resource.r.request",
            "resource.r.approve",
            "resource.r.channels",
            "resource.r.title",
        ]
    );
}

#[test]
fn what_is_no_toml_is_a_problem_of_the_same_form() {
    let found = problems(&with(
        "url = \"sqlite://jitbot.db\"",
        "url = \"sqlite://jitbot.db",
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jitbot.toml:6: not TOML: "),
        "{found:?}"
    );
    let found = problems(&with("[group.sre]", "[group.engineering]"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("jitbot.toml:15: not TOML: duplicate key"),
        "{found:?}"
    );
    // Whatever is read, it is a list of problems and no panic.
    for cut in 0..BASE.len() {
        assert!(parse(&BASE[..cut]).is_err() || cut > 900, "cut at {cut}");
    }
}

#[test]
fn two_workspaces_are_a_problem() {
    let found = problems(&with("slack:T1/U2", "slack:T2/U2"));
    assert_eq!(
        found,
        [
            "jitbot.toml: accounts of 2 workspaces are named: slack:T1, slack:T2. One bot serves one Slack workspace; correct the team in slack:TEAM/USER."
        ]
    );
}

#[test]
fn what_is_hardly_meant_is_a_warning() {
    let warnings =
        |text: &str| -> Vec<String> { ok(text).warnings.iter().map(ToString::to_string).collect() };
    assert_eq!(warnings(BASE), [] as [String; 0]);
    assert_eq!(
        warnings(&with(
            "[\"person:alice\"]",
            "[\"person:alice\", \"slack:T1/U2\"]"
        )),
        [
            "jitbot.toml:37: resource.box.request: no SSH key is known of slack:T1/U2, who will be refused. Add ssh_keys to [person.NAME] for each, or set keys_in_chat on the issuer.",
            "jitbot.toml:38: resource.box.approve[0].from: too few others can approve what is asked for by slack:T1/U2. Nobody approves what they asked for: name more people.",
        ]
    );
    assert_eq!(
        warnings(&with(
            "[group.engineering]",
            "[http]\nlisten = \"0.0.0.0:8910\"\n[group.engineering]"
        )),
        [
            "jitbot.toml:14: http.listen: is reached from other machines without encryption. Listen on 127.0.0.1 and put a server that speaks TLS in front."
        ]
    );
}

#[test]
fn quotes_of_a_word_processor_and_empty_groups_get_a_word() {
    for (old, new) in [
        ("\"sqlite://jitbot.db\"", "“sqlite://jitbot.db”"),
        ("\"sqlite://jitbot.db\"", "\"sqlite://jitbot.db”"),
        ("\"low\"", "‘low’"),
    ] {
        let found = problems(&with(old, new));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("not TOML") && found[0].contains("curly quotes"),
            "{found:?}"
        );
    }
    let plain = problems(&with("\"low\"", "low"));
    assert!(!plain[0].contains("curly"), "{plain:?}");
    // Inside a text they are a text.
    ok(&with("Shell on the box", "Shell on the “box”"));

    let text = format!("{BASE}[group.nobody]\nmembers = []\n");
    let warnings: Vec<String> = ok(&text).warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["jitbot.toml:41: group.nobody.members: is empty. Whatever names this group means nobody."]
    );
}

#[test]
fn secrets_are_never_printed() {
    let fetch = with(
        "{ path = \"/etc/ssh/jitbot.krl\" }",
        "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" } }, web2 = { token = { env = \"TOKEN_2\" } } } } }",
    ) + "[http]\nlisten = \"127.0.0.1:8910\"\n";
    let config = ok(&fetch);
    let printed = format!("{config:?} {config:#?} {}", config.policy_text());
    assert!(
        printed.contains("TOKEN_1"),
        "the print shows where a secret comes from"
    );
    assert!(!printed.contains("secret-of"), "{printed}");
    // The tables above put the word into every place where a secret may stand by mistake.
    for (old, new) in [
        ("{ env = \"BOT\" }", "\"xoxb-secret-1\""),
        ("{ env = \"BOT\" }", "{ env = \"xoxb-secret-1\" }"),
        ("{ env = \"BOT\" }", "[\"xoxb-secret-1\"]"),
        ("{ env = \"BOT\" }", "{ env = \"BOT\" } xoxb-secret-1"),
        ("{ env = \"BOT\" }", "xoxb-secret-1"),
        ("{ env = \"BOT\" }", "{ file = \"xoxb-secret-1\" }"),
        (
            "{ file = \"/etc/jitbot/ca\" }",
            "\"-----BEGIN OPENSSH PRIVATE KEY-----\\nsecret-1\"",
        ),
        ("sqlite://jitbot.db", "postgres://me:secret-1@db/jitbot"),
        ("[store]", "api_url = \"https://secret-1@host/\"\n[store]"),
        ("alice@laptop", "\\nsecret-1"),
    ] {
        let Err(problems) = parse(&with(old, new)) else {
            panic!("{new:?} must be refused");
        };
        assert!(
            !format!("{problems} {problems:?}").contains("secret-1"),
            "{problems}"
        );
    }
}

#[test]
fn values_arrive_where_they_belong() {
    let text = with(
        "channels = [\"slack:#approvals\"]",
        "channels = [\"slack:C0APPROVE\", \"slack:#über-uns\"]\nremind = [\"10m\", \"1h\", \"600s\"]\npending_for = \"90s\"\nauto_approve = [{ from = [\"person:alice\"], max = \"1h30m\" }]",
    )
    .replace("[store]", "api_url = { env = \"API\" }\n[store]")
    .replace(
        "{ path = \"/etc/ssh/jitbot.krl\" }",
        "{ push = { program = [\"/bin/push\", \"-v\"], hosts = [\"web1\"], read_back = false } }",
    );
    let config = ok(&text);
    assert_eq!(
        config.slack.api_url.as_deref(),
        Some("http://127.0.0.1:8911/api/")
    );
    let resource = config.resources.values().next().unwrap();
    assert_eq!(resource.remind_s, [3600, 600]);
    assert_eq!(
        (
            resource.pending_for_s,
            resource.activation_s,
            resource.facts_fresh_for_s
        ),
        (90, 600, None)
    );
    assert_eq!(resource.auto_approve[0].max_s, 5400);
    assert_eq!(resource.target, "ca");
    let Some(IssuerConfig::SshCa(ca)) = config.issuers.values().next() else {
        panic!("an issuer is missing");
    };
    let HostsWay::Push {
        program,
        hosts,
        read_back,
        timeout_s,
    } = &ca.hosts
    else {
        panic!("{:?}", ca.hosts);
    };
    assert_eq!(
        (program.len(), hosts.len(), *read_back, *timeout_s),
        (2, 1, false, 5)
    );
    assert_eq!(
        config.place_names(),
        ["slack:#security", "slack:#über-uns", "slack:C0APPROVE"]
    );
}

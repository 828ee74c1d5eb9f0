//! What the sections about chat, store and security refuse.

use crate::*;

#[test]
fn chat_store_and_security() {
    let secret = "Write { env = \"NAME\" } or { file = \"/path\" }: what stands in the file ends up in copies, backups and version control.";
    check_table(&[
        (
            "{ env = \"BOT\" }",
            "\"xoxb-secret\"",
            &[&format!(
                "2: slack.bot_token: is a secret in the file itself. {secret}"
            )],
        ),
        (
            "{ env = \"BOT\" }",
            "12345",
            &["2: slack.bot_token: is an integer, not a table."],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"BOT\", file = \"/x\" }",
            &[&format!(
                "2: slack.bot_token: names not exactly one source. {secret}"
            )],
        ),
        (
            "{ env = \"BOT\" }",
            "{ enw = \"BOT\" }",
            &[
                "2: slack.bot_token.enw: is no key that is known here. Did you mean `env`?",
                &format!("2: slack.bot_token: names not exactly one source. {secret}"),
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"NOBODY\" }",
            &[
                "2: slack.bot_token.env: the environment variable NOBODY is not set, or empty. Set it for the process, e.g. in its service unit.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"EMPTY\" }",
            &[
                "2: slack.bot_token.env: the environment variable EMPTY is not set, or empty. Set it for the process, e.g. in its service unit.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"xoxb-secret\" }",
            &[
                "2: slack.bot_token.env: is not the name of an environment variable. Write the name, not the value: upper-case letters, digits and `_`, like SLACK_BOT_TOKEN.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ env = \"APP\" }",
            &[
                "2: slack.bot_token: holds a token that begins with xapp-. The bot_token begins with xoxb-; the two seem to be swapped.",
            ],
        ),
        (
            "{ env = \"BOT\" }",
            "{ file = \"token\" }",
            &[
                "2: slack.bot_token.file: is not an absolute path. Start it with `/`, so that it does not depend on where the process is started.",
            ],
        ),
        (
            "bot_token = { env = \"BOT\" }\n",
            "",
            &[&format!("1: slack.bot_token: is missing. {secret}")],
        ),
        (
            "[store]",
            "api_url = \"http://slack.example.org/api/\"\n[store]",
            &[
                "5: slack.api_url: would send tokens in clear text over a network. Use https://; http:// is for this machine's own addresses only.",
            ],
        ),
        (
            "[store]",
            "api_url = \"https://me:secret@slack.example.org/api/\"\n[store]",
            &[
                "5: slack.api_url: holds more than scheme, host, port and path. Write it like https://slack.example.org/api/.",
            ],
        ),
        (
            "[store]",
            "api_url = \"slack\"\n[store]",
            &["5: slack.api_url: is not an address. Write it like https://slack.example.org/api/."],
        ),
        (
            "sqlite://jitbot.db",
            "postgres://me:secret@db/jitbot",
            &[
                "6: store.url: is a PostgreSQL database, which is not served yet. Write it like sqlite:///var/lib/jitbot/jitbot.db.",
            ],
        ),
        (
            "sqlite://jitbot.db",
            "jitbot.db",
            &[
                "6: store.url: is not the address of a database. Write it like sqlite:///var/lib/jitbot/jitbot.db.",
            ],
        ),
        (
            "sqlite://jitbot.db",
            "sqlite://:memory:",
            &[
                "6: store.url: is not the path of a file alone. Write it like sqlite:///var/lib/jitbot/jitbot.db. What SQLite needs beside that is set already.",
            ],
        ),
        (
            "[\"group:security\"]",
            "[\"group:securty\"]",
            &["9: security.people[0]: there is no group \"securty\". Did you mean `security`?"],
        ),
        (
            "[\"group:security\"]",
            "[\"security\"]",
            &["9: security.people[0]: \"security\" names nobody. Write group:security."],
        ),
        (
            "[\"group:security\"]",
            "[]",
            &[
                "9: security.people: nobody is security. Name somebody, or put people into the group: they are told when an access can't be taken away.",
            ],
        ),
        (
            "slack:#security",
            "#security",
            &[
                "10: security.channels[0]: \"#security\" is not a channel. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "slack:#security",
            "slack:#Security",
            &[
                "10: security.channels[0]: \"slack:#Security\" is not a channel. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "slack:#security",
            "discord:1/2",
            &[
                "10: security.channels[0]: \"discord:1/2\" is on a platform that is not served yet. Discord comes later. Write it like [\"slack:#approvals\"] or [\"slack:C0123456\"].",
            ],
        ),
        (
            "0 9 * * *",
            "0 9 1 * 1",
            &[
                "11: security.digest.cron: \"0 9 1 * 1\" is not a schedule: it limits both the day of month and the day of week, which crons read in different ways. Put `*` in one of the two.",
            ],
        ),
        (
            "0 9 * * *",
            "0 0 9 * * *",
            &[
                "11: security.digest.cron: \"0 0 9 * * *\" is not a schedule: it has 6 fields instead of 5. Write minute, hour, day of month, month and day of week, like `0 9 * * *` for nine in the morning.",
            ],
        ),
        (
            "Europe/Berlin",
            "Europe/Berln",
            &[
                "11: security.digest.time_zone: \"Europe/Berln\" is not a time zone. Did you mean `Europe/Berlin`?",
            ],
        ),
        (
            "[store]",
            "fallback_channel = [\"slack:#elsewhere\"]\n[store]",
            &["5: slack.fallback_channel: is an array, not a string."],
        ),
        (
            "[store]",
            "fallback_channel = \"#elsewhere\"\n[store]",
            &[
                "5: slack.fallback_channel: \"#elsewhere\" is not a channel. Write it like \"slack:#approvals-elsewhere\" or \"slack:C0123456\".",
            ],
        ),
        (
            "[group.engineering]",
            "[http]\nlisten = \"8910\"\n[group.engineering]",
            &[
                "14: http.listen: \"8910\" is not an address with a port. Write it like \"127.0.0.1:8910\".",
            ],
        ),
        (
            "[group.engineering]",
            "[limits]\nmax_open_per_person = 0\n[group.engineering]",
            &["14: limits.max_open_per_person: 0 is out of range. It may be 1 to 1000."],
        ),
        (
            "[group.engineering]",
            "[discord]\n[group.engineering]",
            &["13: discord: is not served yet. Discord comes later; serve Slack with [slack]."],
        ),
        (
            "[group.engineering]",
            "[limit]\n[group.engineering]",
            &["13: limit: is no key that is known here. Did you mean `limits`?"],
        ),
    ]);
}

#[test]
fn how_long_the_record_is_kept() {
    let url = "url = \"sqlite://jitbot.db\"";
    let store = |keep: &str| format!("{url}\nkeep = {keep}");
    assert_eq!(ok(BASE).store.keep, None);
    for (keep, days) in [("\"30d\"", 30), ("\"730d\"", 730), ("\"36500d\"", 36_500)] {
        let read = ok(&with(url, &store(keep))).store.keep;
        assert_eq!(read, Some(chrono::TimeDelta::days(days)), "{keep}");
    }
    let range = "It may be 30d to 36500d; left out, everything is kept for ever.";
    for (keep, problem) in [
        ("\"29d\"", format!("\"29d\" is out of range. {range}")),
        ("\"36501d\"", format!("\"36501d\" is out of range. {range}")),
        (
            "\"2y\"",
            "\"2y\" is not a number of days. Write it like \"730d\".".to_owned(),
        ),
        (
            "\"0730d\"",
            "\"0730d\" is not a number of days. Write it like \"730d\".".to_owned(),
        ),
        (
            "\"-30d\"",
            "\"-30d\" is not a number of days. Write it like \"730d\".".to_owned(),
        ),
        (
            "\"d\"",
            "\"d\" is not a number of days. Write it like \"730d\".".to_owned(),
        ),
        ("730", "is an integer, not a string.".to_owned()),
    ] {
        let line = format!("7: store.keep: {problem}");
        check_table(&[(url, &store(keep), &[&line])]);
    }
}

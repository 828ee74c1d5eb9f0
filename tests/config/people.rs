//! What the sections about groups, people and issuers refuse.

use crate::*;

#[test]
fn groups_people_and_issuers() {
    let rsa_hint =
        "Use Ed25519, ECDSA, RSA of 2048 to 4096 bits, or a key on a security key (sk-…).";
    check_table(&[
        (
            "[group.engineering]\nmembers = [\"person:alice\"]",
            "[group.engineering]\ndiscord_role = \"engineering\"",
            &[
                "14: group.engineering.discord_role: is not served yet. It comes later; list the people as members = [\"person:NAME\", \"slack:TEAM/USER\"].",
            ],
        ),
        (
            "[group.engineering]\nmembers = [\"person:alice\"]",
            "[group.engineering]\nslack_usergroup = \"two words\"",
            &[
                "14: group.engineering.slack_usergroup: \"two words\" is not a user group's handle. Write its handle, like \"sre\", or its id, like \"S0123456\".",
            ],
        ),
        (
            "[group.engineering]\nmembers = [\"person:alice\"]",
            "[directory]\nfresh_for = \"soon\"\n[group.engineering]\nmembers = [\"person:alice\"]",
            &[
                "14: directory.fresh_for: \"soon\" is not a duration. Write it like 45m, 8h or 2d. The most is 366d.",
            ],
        ),
        (
            "[group.engineering]\nmembers",
            "[group.engineering]\nmember",
            &[
                "13: group.engineering.members: is missing. List them like members = [\"person:alice\"], or name a slack_usergroup.",
                "14: group.engineering.member: is no key that is known here. Did you mean `members`?",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"person:alcie\"]",
            &[
                "14: group.engineering.members[0]: there is no person \"alcie\". Did you mean `alice`?",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"group:sre\"]",
            &[
                "14: group.engineering.members: names a group inside a group. List the people of that group, or name both groups where the rule stands.",
            ],
        ),
        (
            "[\"person:alice\"]",
            "[\"person:alice\", \"person:alice\"]",
            &["14: group.engineering.members[1]: is named twice. Leave one out."],
        ),
        (
            "[\"person:alice\"]",
            "[]",
            &[
                "37: resource.box.request: nobody may ask for this. Name somebody who is not in never, or put people into the group.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[]",
            &[
                "38: resource.box.approve[0].from: nobody can approve this. Name somebody, or put people into the group.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"slack:T1\"]",
            &[
                "16: group.sre.members[0]: \"slack:T1\" is not an account. Write slack:TEAM/USER with the ids that Slack shows, like slack:T0123456/U0456789.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"slack:shop/bob\"]",
            &[
                "16: group.sre.members[0]: \"slack:shop/bob\" is not a Slack user's account. A team's id begins with T or E, a user's with U or W.",
            ],
        ),
        (
            "[\"slack:T1/U2\"]",
            "[\"discord:1/2\"]",
            &[
                "16: group.sre.members[0]: \"discord:1/2\" is on a platform that is not served yet. Discord comes later; name accounts on Slack.",
            ],
        ),
        (
            "[person.alice]",
            "[person.bob]\naccounts = [\"slack:T1/U1\"]\n[person.alice]",
            &[
                "21: person.bob.accounts[0]: slack:T1/U1 belongs to \"alice\" already. An account belongs to one person, or somebody could approve what they asked for.",
            ],
        ),
        (
            "[person.alice]",
            &format!(
                "[person.bob]\naccounts = [\"slack:T1/U2\"]\nssh_keys = [\"{KEY} other\"]\n[person.alice]"
            ),
            &[
                "22: person.bob.ssh_keys[0]: this key belongs to \"alice\" already. Each person has keys of their own: a target knows people by them.",
            ],
        ),
        (
            "[person.alice]",
            "[person.Bob]\naccounts = [\"slack:T1/U2\"]\n[person.alice]",
            &[
                "20: person.Bob: `Bob` is not a person's name (lower-case letters, digits, `-`, `_`).",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            "-----BEGIN OPENSSH PRIVATE KEY----- secret",
            &[
                "22: person.alice.ssh_keys[0]: is a private key. Write the line of the .pub file, and make a new key: this one was seen.",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            "secret",
            &[
                "22: person.alice.ssh_keys[0]: is not a public key in OpenSSH's form. Write the line of the .pub file, like \"ssh-ed25519 AAAA… alice@laptop\".",
            ],
        ),
        (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB alice@laptop",
            RSA_1024,
            &[&format!(
                "22: person.alice.ssh_keys[0]: is an RSA key of 1024 bits. {rsa_hint}"
            )],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"ssh\"",
            &["25: issuer.ca.kind: there is no kind of issuer \"ssh\". Did you mean `ssh-ca`?"],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"refusing\"",
            &[
                "25: issuer.ca.kind: there is no kind of issuer \"refusing\". There is: ssh-ca, command, webhook.",
            ],
        ),
        (
            "kind = \"ssh-ca\"\n",
            "",
            &["24: issuer.ca.kind: is missing. There is: ssh-ca, command, webhook."],
        ),
        (
            "kind = \"ssh-ca\"",
            "kind = \"ssh-ca\"\nretired = true",
            &[
                "35: resource.box.issuer: the issuer \"ca\" is retired and gives nothing any more. Name another issuer, or remove this resource; what it gave is still taken away.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ path = \"jitbot.krl\" }",
            &[
                "27: issuer.ca.krl.path: is not an absolute path. Start it with `/`, so that it does not depend on where the process is started.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{}",
            &[
                "27: issuer.ca.krl: names not exactly one way. Write one of path, push and fetch, or leave krl out: then access can't be ended early.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ push = { program = [\"push\"], hosts = [\"web1\", \"-oProxyCommand=x\"], timeout = \"1m\" } }",
            &[
                "27: issuer.ca.krl.push.program: does not begin with the absolute path of a program. Write it like [\"/usr/local/bin/push-krl\"]; no shell stands between.",
                "27: issuer.ca.krl.push.hosts[1]: \"-oProxyCommand=x\" is not a host's name. Use letters, digits, `.`, `-` and `_`, and begin with a letter or digit.",
                "27: issuer.ca.krl.push.timeout: is too long. The most is 8s; a run that fails is repeated.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch: hosts are to fetch from the bot, which serves no HTTP. Add [http] with listen = \"127.0.0.1:8910\".",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"SHORT\" } }, web2 = { token = { env = \"TOKEN_1\" } }, web3 = { token = { env = \"TOKEN_1\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch.hosts.web1.token: the token is shorter than 24 characters. Make one with `openssl rand -hex 32`.",
                "27: issuer.ca.krl.fetch.hosts.web3: has the token of \"web2\". Give each host a token of its own, or one could report for the other.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" }, former_token = { env = \"TOKEN_1\" } }, web2 = { token = { env = \"TOKEN_2\" }, former_token = { env = \"SHORT\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch.hosts.web1.former_token: is the same as token. Leave it out once the host shows the new one.",
                "27: issuer.ca.krl.fetch.hosts.web2.former_token: the token is shorter than 24 characters. Make one with `openssl rand -hex 32`.",
            ],
        ),
        (
            "{ path = \"/etc/ssh/jitbot.krl\" }",
            "{ fetch = { hosts = { web1 = { token = { env = \"TOKEN_1\" } }, web2 = { token = { env = \"TOKEN_2\" }, former_token = { env = \"TOKEN_1\" } } } } }",
            &[
                "27: issuer.ca.krl.fetch.hosts.web2: has the token of \"web1\". Give each host a token of its own, or one could report for the other.",
            ],
        ),
    ]);
}

const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC8vlAI9pY7wFw5kTXTyx+7R+YRHG/BjPUh1DQjWuwsE89s4mFWwxC4XpwFz5GhvXc8394PbZ77UB+V80CyiiyNLCStz1X2s0uNlS7QnHmc4eFrCsp4Tn3qApiu05vX+Y8ZuF8tO2hR7uiGhovXmtF6Z/gcOACoyActYAS/WTCpbw==";

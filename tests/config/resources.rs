//! What a resource refuses.

use crate::*;

#[test]
fn resources() {
    let duration = "Write it like 45m, 8h or 2d. The most is 366d.";
    check_table(&[
        (
            "max = \"8h\"",
            "max = \"8x\"",
            &[&format!(
                "36: resource.box.duration.max: \"8x\" is not a duration. {duration}"
            )],
        ),
        (
            "max = \"8h\"",
            "max = 8",
            &[
                "36: resource.box.duration.max: is a number without a unit. Write it like 45m, 8h or 2d.",
            ],
        ),
        (
            "max = \"8h\"",
            "max = \"367d\"",
            &[&format!(
                "36: resource.box.duration.max: \"367d\" is not a duration. {duration}"
            )],
        ),
        (
            "max = \"8h\"",
            "max = \"30m\"",
            &[
                "36: resource.box.duration.default: is longer than max, 30m. Shorten it, or raise max.",
            ],
        ),
        (
            "max = \"8h\"",
            "maximum = \"8h\"",
            &[
                "36: resource.box.duration.maximum: is no key that is known here. There is: default, max.",
                "36: resource.box.duration.max: is missing. Write it like 45m, 8h or 2d.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"none\"",
            &[
                "33: resource.box.risk: \"none\" is not a risk. Write low, medium, high or critical.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"high\"\nauto_approve = [{ from = [\"group:sre\"], max = \"1h\" }]",
            &[
                "34: resource.box.auto_approve: approves without people what is of high risk. Leave it out: only low and medium risk may be approved by a rule.",
            ],
        ),
        (
            "risk = \"low\"",
            "risk = \"low\"\nauto_approve = [{ from = [\"group:sre\"], max = \"9h\" }, { from = [\"group:all\"], max = \"1h\" }]",
            &[
                "34: resource.box.auto_approve[0].max: is longer than the resource's own max, 8h. Shorten it.",
                "34: resource.box.auto_approve[1].from[0]: there is no group \"all\". There is: engineering, security, sre.",
            ],
        ),
        (
            "issuer = \"ca\"",
            "issuer = \"ac\"",
            &["34: resource.box.issuer: there is no issuer \"ac\". Did you mean `ca`?"],
        ),
        (
            "[\"deploy\"]",
            "[]",
            &[
                "35: resource.box.grant.principals: names 0 principals. Name 1 to 16: a certificate without any would fit every account.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"de ploy\"]",
            &[
                "35: resource.box.grant.principals[0]: \"de ploy\" is not a principal. Use 1 to 64 visible ASCII characters, no comma and no blank.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], source_address = [\"10.0.0.1/8\", \"10.0.0.0/33\", \"::1\", \"0.0.0.0/0\"]",
            &[
                "35: resource.box.grant.source_address[0]: \"10.0.0.1/8\" has bits set beyond its prefix. Write the network's first address, like 10.0.0.0/8.",
                "35: resource.box.grant.source_address[1]: \"10.0.0.0/33\" is not an address or network. Write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], extensions = [\"permit-tty\"]",
            &[
                "35: resource.box.grant.extensions[0]: there is no extension \"permit-tty\". Did you mean `permit-pty`?",
            ],
        ),
        (
            "[\"deploy\"]",
            "[\"deploy\"], sudo = true",
            &[
                "35: resource.box.grant.sudo: is no key that is known here. There is: principals, force_command, source_address, extensions.",
            ],
        ),
        (
            "request = [\"group:engineering\"]",
            "request = [\"group:engineering\"]\nnever = [\"person:alice\"]",
            &[
                "37: resource.box.request: nobody may ask for this. Name somebody who is not in never, or put people into the group.",
            ],
        ),
        (
            "count = 1",
            "count = 6",
            &["38: resource.box.approve[0].count: 6 is out of range. It may be 1 to 5."],
        ),
        (
            "count = 1",
            "count = 2",
            &[
                "38: resource.box.approve[0].count: 2 people must approve, and there are only 1. Lower count, or name more people.",
            ],
        ),
        (
            "approve = [{ from = [\"group:sre\"], count = 1 }]",
            "approve = []",
            &[
                "38: resource.box.approve: is empty. Write one stage, like [{ from = [\"group:sre\"], count = 1 }].",
            ],
        ),
        (
            "approve = [{ from = [\"group:sre\"], count = 1 }]",
            "approve = [{ from = [\"group:sre\"] }, { from = [\"group:security\"] }]",
            &[
                "38: resource.box.approve: has 2 stages. One is served today, several come later. People of one stage's from count alike: with count = 2 any two of them are enough, also two of the same group.",
            ],
        ),
        (
            "title = \"Shell on the box\"",
            "title = \"a\\u0000b\"",
            &["30: resource.box.title: holds control characters. Write it in one line."],
        ),
        (
            "title = \"Shell on the box\"",
            "title = \" \"",
            &["30: resource.box.title: is empty."],
        ),
        (
            "title = \"Shell on the box\"\n",
            "",
            &["29: resource.box.title: is missing. Say in a few words what it is, for people."],
        ),
        (
            "channels = [\"slack:#approvals\"]",
            "channels = [\"slack:#approvals\"]\nremind = [\"8h\", \"10m\"]",
            &[
                "40: resource.box.remind[0]: is not shorter than duration.max, 8h. It is the time before the end: shorten it, or nobody is ever reminded.",
            ],
        ),
        (
            "channels = [\"slack:#approvals\"]",
            "channels = [\"slack:#approvals\"]\npending_for = \"-1h\"\nactivation = \"0\"\nfacts_fresh_for = \"abc\"\ntime_zone = \"Mars\"",
            &[
                &format!("40: resource.box.pending_for: \"-1h\" is not a duration. {duration}"),
                &format!("41: resource.box.activation: \"0\" is not a duration. {duration}"),
                &format!("42: resource.box.facts_fresh_for: \"abc\" is not a duration. {duration}"),
                "43: resource.box.time_zone: \"Mars\" is not a time zone.",
            ],
        ),
        (
            "[resource.box]",
            "[resource.\"the box\"]",
            &[
                "29: resource.\"the box\": `the box` is not a resource name (lower-case letters, digits, `-`, `_`).",
            ],
        ),
    ]);
}

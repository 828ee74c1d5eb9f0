//! `jitbot check`.

use crate::*;

#[test]
fn the_command_says_ok_or_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jitbot.toml");
    let shown = file.display().to_string();
    std::fs::write(&file, BASE).unwrap();
    let hash = ok(BASE).policy_hash();
    let Report::Right(text) = report(&file, &env) else {
        panic!("the base is right");
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines.last(),
        Some(
            &format!(
                "ok: 1 resource, 1 issuer, 3 groups, 1 person; policy {}",
                hash.short()
            )
            .as_str()
        )
    );
    assert!(
        lines[0].starts_with(&format!(
            "warning: {shown}: the secret file /etc/jitbot/ca can't be read: "
        )),
        "{text}"
    );

    std::fs::write(
        &file,
        with("max = \"8h\"", "max = \"8x\"").replace("\"low\"", "\"none\""),
    )
    .unwrap();
    let Report::Wrong(text) = report(&file, &env) else {
        panic!("it is wrong");
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with(&format!("{shown}:33: resource.box.risk: ")),
        "{text}"
    );
    assert!(
        lines[1].starts_with(&format!("{shown}:36: resource.box.duration.max: ")),
        "{text}"
    );
    assert_eq!(lines[2], "2 problems");

    let missing = dir.path().join("missing.toml");
    let Report::Wrong(text) = report(&missing, &env) else {
        panic!("there is no such file");
    };
    assert!(
        text.starts_with(&format!(
            "{}: the config can't be read: ",
            missing.display()
        )),
        "{text}"
    );
}

#[test]
fn the_command_finds_keys_and_lists_that_no_bot_would_start_with() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jitbot.toml");
    let said = |text: &str| {
        std::fs::write(&file, text).unwrap();
        match report(&file, &env) {
            Report::Right(text) => panic!("it is wrong: {text}"),
            Report::Wrong(text) => text,
        }
    };
    let key = |name: &str| {
        let path = dir.path().join(name);
        jitbot::sandbox::ssh::keys::make(&path, name).unwrap();
        path.display().to_string()
    };
    let (first, second) = (key("first"), key("second"));
    let other = |ca: &str, krl: &str| {
        let base = with("/etc/jitbot/ca", &first);
        format!(
            "{base}\n[issuer.other]\nkind = \"ssh-ca\"\nca_key = {{ file = \"{ca}\" }}\nkrl = {{ path = \"{krl}\" }}\n"
        )
    };
    let text = said(&other(&second, "/etc/ssh/jitbot.krl"));
    assert!(
        text.contains("share krl.path /etc/ssh/jitbot.krl"),
        "{text}"
    );
    let text = said(&other(&first, "/etc/ssh/other.krl"));
    assert!(text.contains("share ca_key SHA256:"), "{text}");
    let text = said(&other(&format!("{second}.pub"), "/etc/ssh/other.krl"));
    assert!(text.contains("issuer other: the CA key is not"), "{text}");
    assert_eq!(text.matches("is not an OpenSSH private key").count(), 1);
    std::fs::write(&file, other(&second, "/etc/ssh/other.krl")).unwrap();
    assert!(matches!(report(&file, &env), Report::Right(_)));
}

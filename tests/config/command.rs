//! `jitbot check --offline`.

use std::path::Path;

use crate::*;

/// What it says, and its exit code.
async fn said(file: &Path) -> (String, u8) {
    let findings = look(file, &env, true).await.unwrap();
    (findings.text(), findings.code(false))
}

#[tokio::test]
async fn the_command_says_ok_or_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jitbot.toml");
    let shown = file.display().to_string();
    std::fs::write(&file, BASE).unwrap();
    let hash = ok(BASE).policy_hash();
    let (text, code) = said(&file).await;
    assert_eq!(code, 0, "the base is right");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines.last(),
        Some(
            &format!(
                "ok: 1 resource, 1 issuer, 3 groups, 1 person; policy {}; 1 warning",
                hash.short()
            )
            .as_str()
        )
    );
    assert!(
        lines[1].starts_with(&format!(
            "  warning: {shown}:26: issuer.ca.ca_key: the secret file /etc/jitbot/ca can't be read: "
        )),
        "{text}"
    );

    std::fs::write(
        &file,
        with("max = \"8h\"", "max = \"8x\"").replace("\"low\"", "\"none\""),
    )
    .unwrap();
    let (text, code) = said(&file).await;
    assert_eq!(code, 1, "it is wrong");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "Config");
    assert!(
        lines[1].starts_with(&format!("  problem: {shown}:33: resource.box.risk: ")),
        "{text}"
    );
    assert!(
        lines[2].starts_with(&format!(
            "  problem: {shown}:36: resource.box.duration.max: "
        )),
        "{text}"
    );
    assert_eq!(lines[3], "2 problems, 0 warnings");

    let missing = dir.path().join("missing.toml");
    let (text, code) = said(&missing).await;
    assert_eq!(code, 1, "there is no such file");
    assert!(
        text.contains(&format!(
            "{}: the config can't be read: ",
            missing.display()
        )),
        "{text}"
    );
}

#[tokio::test]
async fn the_command_finds_keys_and_lists_that_no_bot_would_start_with() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("jitbot.toml");
    let wrong = async |text: &str| {
        std::fs::write(&file, text).unwrap();
        let (text, code) = said(&file).await;
        assert_eq!(code, 1, "{text}");
        text
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
    let text = wrong(&other(&second, "/etc/ssh/jitbot.krl")).await;
    assert!(
        text.contains("share krl.path /etc/ssh/jitbot.krl"),
        "{text}"
    );
    let text = wrong(&other(&first, "/etc/ssh/other.krl")).await;
    assert!(text.contains("share ca_key SHA256:"), "{text}");
    let text = wrong(&other(&format!("{second}.pub"), "/etc/ssh/other.krl")).await;
    assert!(text.contains("issuer other: the CA key is not"), "{text}");
    assert_eq!(text.matches("is not an OpenSSH private key").count(), 1);
    std::fs::write(&file, other(&second, "/etc/ssh/other.krl")).unwrap();
    assert_eq!(said(&file).await.1, 0);
}

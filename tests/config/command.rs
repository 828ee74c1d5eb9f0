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
    assert_eq!(lines[2], "2 problems, nothing was started");

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

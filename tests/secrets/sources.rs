//! Where the config's reader takes a secret in.

use std::path::Path;

/// Each place, with how many secrets it reads. What stands here is planted in `planted.rs`.
const READ_IN: &[(&str, usize)] = &[
    ("heartbeat.rs", 1),
    // A variable of a program's environment.
    ("issuer/command.rs", 1),
    // The CA's key, and the tokens of a host by one function.
    ("issuer/ssh_ca.rs", 2),
    // The secret and the former one, by one function.
    ("issuer/webhook.rs", 1),
    // Both tokens, by one closure.
    ("sections.rs", 1),
    // Every header, by one loop.
    ("traces.rs", 1),
];

#[test]
fn a_new_kind_of_secret_is_planted_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let times = std::fs::read_to_string(&path)
                .unwrap()
                .matches("secret::read(")
                .count();
            if times > 0 {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                found.push((name, times));
            }
        }
    }
    found.sort();
    let known: Vec<(String, usize)> = READ_IN.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
    assert_eq!(
        found, known,
        "the config reads a secret in a new place: plant a marker for it in tests/secrets/planted.rs, then say so here"
    );
}

//! Each rule about files against samples that break it and samples that keep it.

use super::{files, source::Source};

#[test]
fn long_files_and_idle_exceptions() {
    let files = [
        ("src/a.rs".to_owned(), 400),
        ("src/b.rs".to_owned(), 401),
        ("src/c.rs".to_owned(), 900),
    ];
    let places = |long: &[(&str, &str)]| -> Vec<String> {
        files::lengths(&files, long)
            .into_iter()
            .map(|fault| fault.place)
            .collect()
    };
    assert_eq!(places(&[("src/c.rs", "one table")]), ["src/b.rs:401"]);
    assert_eq!(
        places(&[("src/b.rs", "one table"), ("src/c.rs", " ")]),
        ["src/c.rs:1"]
    );
    assert_eq!(
        places(&[
            ("src/b.rs", "x"),
            ("src/c.rs", "x"),
            ("src/a.rs", "x"),
            ("src/gone.rs", "x")
        ]),
        ["src/a.rs:1", "src/gone.rs:1"]
    );
}

#[test]
fn vague_names() {
    for vague in [
        "src/utils.rs",
        "src/store/helpers/mod.rs",
        "tests/support/common.rs",
        "src/chat/types.rs",
    ] {
        assert_eq!(files::names(vague).len(), 1, "{vague}");
    }
    for plain in [
        "src/domain/ids.rs",
        "tests/slack_types/check.mjs",
        "src/commonwealth.rs",
    ] {
        assert_eq!(files::names(plain), [], "{plain}");
    }
}

#[test]
fn lost_files() {
    let tree = |files: &[(&str, &str)]| -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source::new(path, text))
            .collect();
        files::reachable(&sources)
            .into_iter()
            .map(|fault| fault.place)
            .collect()
    };
    let lib = ("src/lib.rs", "pub mod a;\n// mod d;\nmod e { }");
    assert_eq!(
        tree(&[
            lib,
            ("src/a/mod.rs", "mod b;"),
            ("src/a/b.rs", "mod c;"),
            ("src/a/b/c.rs", "")
        ]),
        [""; 0]
    );
    assert_eq!(
        tree(&[lib, ("src/a.rs", ""), ("src/a/b.rs", ""), ("src/d.rs", "")]),
        ["src/a/b.rs:1", "src/d.rs:1"]
    );
    assert_eq!(
        tree(&[lib, ("src/a.rs", "\n#[path = \"x.rs\"]\nmod y;")]),
        ["src/a.rs:2"]
    );
}

#[test]
fn edited_migrations() {
    let file = |name: &str, sum: &str| (name.to_owned(), sum.to_owned());
    let reasons = |files: &[(String, String)], checksums: &str| -> Vec<String> {
        files::migrations("migrations/sqlite", files, checksums)
            .into_iter()
            .map(|fault| fault.place + " " + &fault.reason)
            .collect()
    };
    let one = [file("0001_start.sql", "aa")];
    assert_eq!(reasons(&one, "aa  0001_start.sql\n"), [""; 0]);
    for (files, checksums, words) in [
        (&one[..], "bb  0001_start.sql\n", "0001_start.sql:1 edited"),
        (&one[..], "", "add the line \"aa  0001_start.sql\""),
        (&[][..], "aa  0001_start.sql\n", "which is not there"),
        (
            &one[..],
            "aa  0001_start.sql\naa  0001_start.sql\n",
            "more than once",
        ),
    ] {
        let said = reasons(files, checksums);
        assert!(
            said.iter().any(|it| it.contains(words)),
            "{words}: {said:?}"
        );
    }
}

#[test]
fn registry_hosts() {
    let host = ["registry.npmjs", ".org"].concat();
    let faults = files::registries(
        "tests/x/package-lock.json",
        &format!("{{\n\"resolved\": \"https://{host}/a\"}}"),
    );
    assert_eq!(
        faults.first().map(|fault| fault.place.as_str()),
        Some("tests/x/package-lock.json:2")
    );
    let source = format!(
        "source = \"registry+https://{}/\"\n",
        ["index.crates", ".io"].concat()
    );
    assert_eq!(files::registries("Cargo.lock", &source), []);
    assert_eq!(files::registries("docs/x.md", &source).len(), 1);
    assert_eq!(
        files::registries("docs/x.md", "From crates.io and npm."),
        []
    );
}

#[test]
fn broken_promises() {
    let exists = |path: &str| {
        [
            "scripts/test",
            "src/cli/demo/mod.rs",
            "docs/A.md",
            "README.md",
        ]
        .contains(&path)
    };
    let page = "\
See [a](docs/A.md#x), [b](docs/B.md), [web](https://example.org/x), [up](#top).
```sh
scripts/test --install
$ scripts/gone
cargo run -- demo --script
cargo run -- fly
cargo run -- --help
```
";
    let places = |page: &str, text: &str| -> Vec<String> {
        files::promises(page, text, exists)
            .into_iter()
            .map(|fault| fault.place)
            .collect()
    };
    assert_eq!(
        places("README.md", page),
        ["README.md:1", "README.md:4", "README.md:6"]
    );
    assert_eq!(
        places("docs/A.md", "[up](../README.md) [self](A.md) [gone](B.md)"),
        ["docs/A.md:1"]
    );
    assert_eq!(
        files::two_commands("`cargo run -- demo`, `scripts/test --install`"),
        []
    );
    assert_eq!(files::two_commands("cargo run -- demonstrate").len(), 2);
}

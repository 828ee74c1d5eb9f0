//! The house rules as tests. Each rule is a function over texts; it is held against the repository
//! and, beside that, against samples that break it and samples that only look as if they did.

#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/files_samples.rs"]
mod files_samples;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/rooms_samples.rs"]
mod rooms_samples;
#[path = "tidy/source.rs"]
mod source;

use std::path::Path;

use sha2::{Digest as _, Sha256};
use source::{Fault, Source};

/// Fails with every fault, each as `path:line: reason`.
fn none(faults: impl IntoIterator<Item = Fault>) {
    let faults: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("{}: {}", fault.place, fault.reason))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The Rust files below a folder.
fn rust(folder: &str) -> Vec<Source> {
    let paths = files::below(folder)
        .into_iter()
        .filter(|path| path.ends_with(".rs"));
    let sources: Vec<Source> = paths
        .filter_map(|path| files::text(&path).map(|text| Source::new(&path, &text)))
        .collect();
    assert!(
        !sources.is_empty(),
        "no Rust file was found below {folder}, so nothing would be checked"
    );
    sources
}

fn over_src(rule: impl Fn(&Source) -> Vec<Fault>) {
    none(rust("src").iter().flat_map(rule));
}

#[test]
fn direction_1_domain_and_policy_are_pure() {
    over_src(rooms::pure);
}

#[test]
fn direction_2_sql_stands_only_under_store() {
    over_src(rooms::sql);
}

#[test]
fn direction_3_an_sdk_stands_only_in_its_adapter() {
    over_src(rooms::adapters);
}

#[test]
fn direction_3_numbers_are_named_in_one_room() {
    over_src(rooms::numbers);
}

#[test]
fn direction_3_calls_to_the_outside_know_no_caller() {
    over_src(rooms::web_calls);
}

#[test]
fn direction_3_traces_are_named_in_one_room() {
    over_src(rooms::traces);
}

#[test]
fn direction_4_the_engine_knows_nothing_outside() {
    over_src(rooms::engine);
}

#[test]
fn direction_5_time_is_an_argument() {
    over_src(rooms::clocks);
}

#[test]
fn direction_5_tests_switch_nothing() {
    over_src(rooms::test_switches);
}

#[test]
fn direction_6_the_sandbox_shares_nothing_with_the_bot() {
    over_src(rooms::sandbox);
}

#[test]
fn direction_7_files_are_short() {
    let files: Vec<(String, usize)> = ["src", "tests"]
        .into_iter()
        .flat_map(files::below)
        .filter(|path| path.ends_with(".rs") || path.ends_with(".mjs"))
        .filter_map(|path| files::text(&path).map(|text| (path, text.lines().count())))
        .collect();
    none(files::lengths(&files, files::LONG));
}

#[test]
fn direction_7_names_say_what_is_inside() {
    none(
        ["src", "tests"]
            .into_iter()
            .flat_map(files::below)
            .flat_map(|path| files::names(&path)),
    );
}

#[test]
fn shipped_code_does_not_unwrap() {
    over_src(rooms::unwraps);
}

#[test]
fn every_file_is_compiled() {
    none(files::reachable(&rust("src")));
}

#[test]
fn landed_migrations_are_never_edited() {
    let folders: Vec<&str> = ["migrations/sqlite", "migrations/postgres"]
        .into_iter()
        .filter(|folder| files::root().join(folder).is_dir())
        .collect();
    let has_store = files::below("src/store")
        .iter()
        .any(|path| path.starts_with("src/store/sqlite"));
    assert!(
        !has_store || folders.contains(&"migrations/sqlite"),
        "there is a store, but no migrations/sqlite"
    );
    for folder in folders {
        let sums: Vec<(String, String)> = files::below(folder)
            .into_iter()
            .filter(|path| path.ends_with(".sql"))
            .filter_map(|path| {
                let sum = hex::encode(Sha256::digest(files::text(&path)?));
                Some((
                    Path::new(&path).file_name()?.to_string_lossy().into_owned(),
                    sum,
                ))
            })
            .collect();
        let checksums = files::text(&format!("{folder}/CHECKSUMS")).unwrap_or_default();
        none(files::migrations(folder, &sums, &checksums));
    }
}

#[test]
fn no_file_names_a_registry() {
    let texts = files::below("")
        .into_iter()
        .filter_map(|path| files::text(&path).map(|text| (path, text)));
    none(texts.flat_map(|(path, text)| files::registries(&path, &text)));
}

#[test]
fn pages_promise_what_exists() {
    let exists = |path: &str| files::root().join(path).exists();
    let pages = ["README.md".to_owned()]
        .into_iter()
        .chain(files::below("docs"));
    let texts = pages
        .filter(|page| page.ends_with(".md"))
        .filter_map(|page| files::text(&page).map(|text| (page, text)));
    none(texts.flat_map(|(page, text)| files::promises(&page, &text, exists)));
}

#[test]
fn the_readme_tells_the_two_commands() {
    let has_demo = files::below("src/cli")
        .iter()
        .any(|path| path.starts_with("src/cli/demo"));
    match files::text("README.md") {
        Some(readme) => none(files::two_commands(&readme)),
        None => assert!(
            !has_demo,
            "there is a demo, but no README.md that tells how to run it"
        ),
    }
}

#[cfg(unix)]
#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let scripts: Vec<String> = files::below("scripts")
        .into_iter()
        .chain([".ci/run".to_owned()])
        .collect();
    assert!(scripts.len() > 1, "no script was found");
    for script in scripts {
        let mode = std::fs::metadata(files::root().join(&script)).map(|it| it.permissions().mode());
        assert!(
            mode.as_ref().is_ok_and(|mode| mode & 0o100 != 0),
            "{script}:1: it can't be run ({mode:?})"
        );
    }
}

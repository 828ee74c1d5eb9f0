//! Rules about files: length, names, reachability, migrations, what the README promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::source::{Fault, Source, find_words};

/// The most lines that a file may have.
const LINES: usize = 400;

/// Longer files, each with its reason. An entry that is no longer needed is a fault too.
pub const LONG: &[(&str, &str)] = &[];

/// Names that say nothing of what a file does, so that everything ends up in it.
const VAGUE: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "types", "misc",
];

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder of the repository, paths from its root with `/`, sorted.
pub fn below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let left_out = ["target", "node_modules", ".git"]
                .iter()
                .any(|it| name == *it);
            if path.is_dir() && !left_out {
                open.push(path);
            } else if path.is_file() && !left_out {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// A text of the repository; none if it is no text.
pub fn text(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// Direction 7: no file of more than 400 lines but those of the list, and no entry too many.
pub fn lengths(files: &[(String, usize)], long: &[(&str, &str)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, lines) in files {
        if *lines > LINES && !long.iter().any(|(listed, _)| listed == path) {
            faults.push(Fault {
                place: format!("{path}:{lines}"),
                reason: format!("{lines} lines, {LINES} are allowed: split it by what it does, or list it with a reason"),
            });
        }
    }
    for (listed, reason) in long {
        let lines = files
            .iter()
            .find(|(path, _)| path == listed)
            .map_or(0, |(_, lines)| *lines);
        if lines <= LINES || reason.trim().is_empty() {
            faults.push(Fault {
                place: format!("{listed}:1"),
                reason: format!("it stands on the list of long files with {lines} lines and the reason {reason:?}: take it off"),
            });
        }
    }
    faults
}

/// Direction 7: no name that says nothing, for files and folders.
pub fn names(path: &str) -> Vec<Fault> {
    let vague = path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or(part))
        .find(|part| VAGUE.contains(part));
    vague
        .map(|name| Fault {
            place: format!("{path}:1"),
            reason: format!("`{name}` says nothing of what is in it: name it by what it does"),
        })
        .into_iter()
        .collect()
}

/// Every file of `src` is reached by `mod` from `lib.rs` or `main.rs`; `#[path]` would hide that.
pub fn reachable(sources: &[Source]) -> Vec<Fault> {
    let by_path: BTreeMap<&str, &Source> = sources
        .iter()
        .map(|source| (source.path.as_str(), source))
        .collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = vec!["src/lib.rs".to_owned(), "src/main.rs".to_owned()];
    let mut faults = Vec::new();
    while let Some(path) = open.pop() {
        let Some(source) = by_path.get(path.as_str()) else {
            continue;
        };
        if !reached.insert(path.clone()) {
            continue;
        }
        let folder = match path.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder.to_owned(),
            _ => path.trim_end_matches(".rs").to_owned(),
        };
        for pair in source.words().windows(2) {
            let [(_, "mod"), (at, name)] = pair else {
                continue;
            };
            if source.code[at + name.len()..].starts_with(';') {
                open.push(format!("{folder}/{name}.rs"));
                open.push(format!("{folder}/{name}/mod.rs"));
            }
        }
        for at in source.find("#[path") {
            faults.push(source.fault(at, "`#[path]` hides where a module lies"));
        }
    }
    let lost = sources
        .iter()
        .filter(|source| !reached.contains(&source.path));
    faults.extend(lost.map(|source| source.fault(0, "no `mod` leads here, so it is not compiled")));
    faults
}

/// A migration that has landed is never edited: each file is as `CHECKSUMS` says, and listed.
///
/// `files` are (name, SHA-256 in hex); `checksums` is in sha256sum's form.
pub fn migrations(folder: &str, files: &[(String, String)], checksums: &str) -> Vec<Fault> {
    let listed: Vec<(&str, &str)> = checksums
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_once("  ").unwrap_or((line, "")))
        .collect();
    let fault = |name: &str, reason: String| Fault {
        place: format!("{folder}/{name}:1"),
        reason,
    };
    let mut faults = Vec::new();
    for (name, sum) in files {
        match listed.iter().find(|(_, other)| other == name) {
            None => faults.push(fault(
                name,
                format!("not in CHECKSUMS; if it is new, add the line \"{sum}  {name}\""),
            )),
            Some((other, _)) if other != sum => {
                let reason = "edited: databases have run it as it was. Write a new migration. (Only before it has landed: correct CHECKSUMS)";
                faults.push(fault(name, reason.to_owned()));
            }
            Some(_) => {}
        }
    }
    for (_, name) in &listed {
        if !files.iter().any(|(other, _)| other == name) {
            faults.push(fault(
                "CHECKSUMS",
                format!("it lists {name:?}, which is not there: a migration that has landed stays"),
            ));
        }
        if listed.iter().filter(|(_, other)| other == name).count() > 1 {
            faults.push(fault(
                "CHECKSUMS",
                format!("it lists {name:?} more than once"),
            ));
        }
    }
    faults
}

/// No file names the host of a package registry: which one is used is the machine's affair.
pub fn registries(path: &str, text: &str) -> Vec<Fault> {
    // In two parts each, so that this file is no breach of its own rule.
    const HOSTS: &[(&str, &str)] = &[
        ("registry.npmjs", ".org"),
        ("registry.yarnpkg", ".com"),
        ("static.crates", ".io"),
        ("index.crates", ".io"),
        ("crates.io/", "api"),
        ("files.pythonhosted", ".org"),
        ("pypi", ".org"),
        ("deb.debian", ".org"),
        ("proxy.golang", ".org"),
    ];
    let hosts: Vec<String> = HOSTS.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if path == "Cargo.lock" && line.starts_with("source = \"registry+") {
            continue; // cargo writes this itself
        }
        if let Some(host) = hosts.iter().find(|host| line.contains(host.as_str())) {
            faults.push(Fault {
                place: format!("{path}:{}", index + 1),
                reason: format!("it names {host}, a registry's host"),
            });
        }
    }
    faults
}

/// What a page promises exists: scripts in its code blocks, subcommands after `cargo run --`, and
/// the files that its links lead to.
pub fn promises(page: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Fault> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut faults = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        let mut missing = |what: &str| {
            faults.push(Fault {
                place: format!("{page}:{}", index + 1),
                reason: format!("{what} does not exist"),
            });
        };
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            let words: Vec<&str> = line
                .trim_start()
                .trim_start_matches("$ ")
                .split_whitespace()
                .collect();
            match words.as_slice() {
                [script, ..]
                    if (script.starts_with("scripts/") || *script == ".ci/run")
                        && !exists(script) =>
                {
                    missing(script);
                }
                ["cargo", "run", "--", command, ..] if !command.starts_with('-') => {
                    let command = command.replace('-', "_");
                    let homes = [
                        format!("src/cli/{command}.rs"),
                        format!("src/cli/{command}/mod.rs"),
                    ];
                    if !homes.iter().any(|home| exists(home)) {
                        missing(&format!(
                            "the subcommand {command} ({})",
                            homes.join(" or ")
                        ));
                    }
                }
                _ => {}
            }
        } else {
            for link in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
            {
                let target = link.split(['#', ' ']).next().unwrap_or("");
                let outside =
                    link.contains("://") || link.starts_with("mailto:") || target.is_empty();
                if !outside && !exists(&joined(folder, target)) {
                    missing(target);
                }
            }
        }
    }
    faults
}

/// `docs` and `../README.md` make `README.md`.
fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts
        .iter()
        .collect::<PathBuf>()
        .to_string_lossy()
        .into_owned()
}

/// What the README has to tell in its code: the two commands of a fresh machine.
pub fn two_commands(readme: &str) -> Vec<Fault> {
    ["cargo run -- demo", "scripts/test --install"]
        .into_iter()
        .filter(|command| find_words(readme, command).is_empty())
        .map(|command| Fault {
            place: "README.md:1".to_owned(),
            reason: format!("it does not say `{command}`"),
        })
        .collect()
}

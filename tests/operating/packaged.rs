//! What is shipped beside the program: the unit, the container file, the alerts, the dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::exposition::Exposition;
use super::support::scene::Scene;
use super::support::watching::{free, served_at};
use super::support::{APPROVALS, Setup, id_of};
use super::{scrape, until, until_ready};

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(packaging(name)).unwrap()
}

fn systemd_analyze(arguments: &[&str], unit: &Path) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .unwrap();
    let said = [stdout, stderr].concat();
    (
        status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// The unit with this program in place of the installed one.
fn unit(folder: &Path) -> PathBuf {
    let text =
        read("jitbot.service").replace("/usr/local/bin/jitbot", env!("CARGO_BIN_EXE_jitbot"));
    let file = folder.join("jitbot.service");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_unit_is_one_and_leaves_little_open() {
    let folder = tempfile::tempdir().unwrap();
    let unit = unit(folder.path());
    let (fine, said) = systemd_analyze(&["verify", "--man=no"], &unit);
    // What it says of other units of this machine is not ours.
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("jitbot"))
        .collect();
    assert!(fine && ours.is_empty(), "{said}");
    // Out of 100, of which 0 is the safest.
    let judged = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    let (fine, said) = systemd_analyze(&judged, &unit);
    assert!(fine, "{said}");
}

/// Names of numbers in a text, with those of a histogram's parts as the histogram's.
fn named(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("jitbot_") {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &rest[..end.unwrap_or(rest.len())];
        names.insert(name.strip_suffix("_bucket").unwrap_or(name));
    }
    names
}

/// Labels that a query compares or sums by, and those that a legend or a summary shows.
fn labels_in(query: &str) -> BTreeSet<&str> {
    let mut labels = BTreeSet::new();
    for part in query.split("by (").skip(1) {
        let list = part.split(')').next().unwrap_or_default();
        labels.extend(list.split(',').map(str::trim));
    }
    for part in query.split('{').skip(1) {
        let label = part.split(['=', '~', '}']).next().unwrap_or_default();
        labels.insert(label.trim());
    }
    labels
}

/// What Prometheus adds, or a histogram has.
const FROM_ELSEWHERE: [&str; 2] = ["le", "instance"];

#[tokio::test]
async fn alerts_and_dashboard_ask_for_numbers_that_are_there() {
    let at = free();
    // Groups that Slack knows, whose age is a number too.
    let scene = Scene::with(&Setup {
        usergroups: true,
        ..served_at(at)
    })
    .await;
    let _bot = scene.serve().await;
    until_ready(&scene, at).await;
    let typed = "/jit request staging-ssh 300d why not";
    let refused = scene.people.command(id_of("alice"), APPROVALS, typed).await;
    refused.unwrap();
    scene.until_recorded("refused").await;
    let (id, card) = scene.ask().await;
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    scene.done(&id).await;
    scene.over().await;
    until(at, "jitbot_grants_live", 0.0).await;
    let told: Exposition = scrape(at).await;
    let mut there: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in told.text.lines() {
        if let Some(about) = line.strip_prefix("# TYPE ") {
            there.entry(about.split(' ').next().unwrap()).or_default();
        }
        let Some((series, labels)) = line.split_once('{') else {
            continue;
        };
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| series.strip_suffix(part))
            .unwrap_or(series);
        let labels = labels.split('}').next().unwrap_or_default();
        let labels = labels.split("\",").filter_map(|one| one.split('=').next());
        there.entry(name).or_default().extend(labels);
    }

    let alerts = read("prometheus-alerts.yml");
    let dashboard = read("grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let mut queries: Vec<String> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
        .map(str::to_owned)
        .collect();
    assert!(queries.len() > 8, "{queries:?}");
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            queries.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    let mut watched = BTreeSet::new();
    for query in &queries {
        let names = named(query);
        assert!(!names.is_empty(), "{query}");
        for name in names {
            let labels = there.get(name).unwrap_or_else(|| panic!("{name}: {query}"));
            watched.insert(name.to_owned());
            for label in labels_in(query) {
                let known = labels.contains(label) || FROM_ELSEWHERE.contains(&label);
                assert!(known, "{name} has no label {label:?}: {query}");
            }
        }
    }
    // What is told is looked at.
    let unwatched: Vec<&&str> = there
        .keys()
        .filter(|name| name.starts_with("jitbot_") && !watched.contains(**name))
        .collect();
    assert!(unwatched.is_empty(), "{unwatched:?}");
}

/// The line of the container file that asks whether it is well, as the container runs it.
#[tokio::test]
async fn the_container_s_health_check_sees_a_bot_and_sees_none() {
    let file = read("Containerfile");
    let line = file
        .lines()
        .find_map(|line| line.strip_prefix("HEALTHCHECK "))
        .unwrap();
    let command: Vec<String> = serde_json::from_str(line.split_once("CMD ").unwrap().1).unwrap();
    let at = free();
    let asks = async || {
        let script = command[2].replace("127.0.0.1/9470", &at.to_string().replace(':', "/"));
        let mut child = tokio::process::Command::new(&command[0]);
        child.arg(&command[1]).arg(script);
        child.stderr(std::process::Stdio::null());
        child.status().await.unwrap().success()
    };
    assert!(!asks().await);
    let scene = Scene::with(&served_at(at)).await;
    let mut bot = scene.serve().await;
    assert!(asks().await);
    bot.kill().await.unwrap();
    assert!(!asks().await);

    // The program is built by a Rust that it can be built by, and started without a shell.
    let rust = file.split("rust:").nth(1).unwrap();
    let rust = rust.split('-').next().unwrap();
    assert_eq!(rust, env!("CARGO_PKG_RUST_VERSION"));
    for what in ["ENTRYPOINT ", "CMD "] {
        let line = file.lines().find_map(|line| line.strip_prefix(what));
        let words: Vec<String> = serde_json::from_str(line.unwrap()).unwrap();
        assert!(words.len() > 2, "{words:?}");
    }
}

/// A service manager that listens: what it was told until now, whenever it is asked.
struct Manager {
    socket: std::os::unix::net::UnixDatagram,
    path: PathBuf,
    told: Vec<String>,
}

impl Manager {
    fn listen(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            socket,
            path,
            told: Vec::new(),
        }
    }

    fn count(&mut self, what: &str) -> usize {
        let mut message = [0; 512];
        while let Ok(length) = self.socket.recv(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            self.told.extend(text.lines().map(str::to_owned));
        }
        self.told.iter().filter(|line| *line == what).count()
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "it waits for another process, in real time"
)]
async fn the_service_manager_hears_of_the_start_of_each_turn_and_of_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut manager = Manager::listen(folder.path());
    let scene = Scene::set().await;
    let mut command = scene.command();
    command.env("NOTIFY_SOCKET", &manager.path);
    command.env("WATCHDOG_USEC", "400000");
    let mut bot = scene.ready(command).await;
    assert_eq!(
        (manager.count("READY=1"), manager.count("STOPPING=1")),
        (1, 0)
    );
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    // Four in each 400 ms, on a machine that has other things to do.
    let beats = manager.count("WATCHDOG=1");
    assert!(beats >= 4, "{:?}", manager.told);
    super::kill(
        super::Pid::from_raw(bot.id().unwrap().cast_signed()),
        super::Signal::SIGTERM,
    )
    .unwrap();
    assert!(bot.wait().await.unwrap().success());
    assert_eq!(
        (manager.count("READY=1"), manager.count("STOPPING=1")),
        (1, 1)
    );
}

//! The real binary, told by SIGHUP to read its config again: before it is ready, while it runs, while
//! it reads, while it stops.

#[path = "support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use jitbot::sandbox::people::{Change, Disconnect, FaultKind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::scene::{Scene, WAIT};
use support::{APPROVALS, SECURITY, Setup, id_of};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// A scene whose bot's log is read, and whose config is changed.
struct Told {
    scene: Scene,
    log: PathBuf,
    config: String,
}

impl Told {
    async fn set(setup: &Setup) -> Self {
        let scene = Scene::with(setup).await;
        let config = std::fs::read_to_string(scene.path().join("jitbot.toml")).unwrap();
        Self {
            log: scene.path().join("log"),
            scene,
            config,
        }
    }

    fn command(&self) -> Command {
        let mut command = self.scene.command();
        command.stderr(std::fs::File::create(&self.log).unwrap());
        command
    }

    fn writes(&self, old: &str, new: &str) {
        assert!(self.config.contains(old), "{old}");
        let text = self.config.replace(old, new);
        std::fs::write(self.scene.path().join("jitbot.toml"), text).unwrap();
    }

    fn logged(&self, what: &str) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap();
        log.lines().filter(|line| line.contains(what)).count()
    }

    async fn until_logged(&self, what: &str, times: usize) {
        let holds = async || self.logged(what) >= times;
        self.scene.until(what, holds).await;
    }

    /// Whether alice may ask for so long now: the longest is what the tests change.
    async fn may_ask(&self, duration: &str) -> bool {
        let typed = format!("/jit request staging-ssh {duration} please");
        let people = &self.scene.people;
        let answer = people.command(id_of("alice"), APPROVALS, &typed).await;
        support::reference(&answer.unwrap().visible_text).is_some()
    }
}

fn send(bot: &Child, signal: Signal) {
    let id = i32::try_from(bot.id().expect("it runs")).unwrap();
    kill(Pid::from_raw(id), signal).unwrap();
}

async fn ends_well(mut bot: Child) {
    send(&bot, Signal::SIGTERM);
    let status = tokio::time::timeout(WAIT, bot.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// Open at a time with one token.
const SOCKETS: usize = 4;

const MAX: &str = "max = \"8h\"";
const IN_FORCE: &str = "the config was read again and is in force";

#[tokio::test]
async fn a_good_file_holds_and_a_bad_one_says_everything_and_changes_nothing() {
    let told = Told::set(&Setup::default()).await;
    let bot = told.scene.ready(told.command()).await;
    assert!(!told.may_ask("9h").await);
    told.writes(MAX, "max = \"9h\"");
    send(&bot, Signal::SIGHUP);
    told.until_logged(IN_FORCE, 1).await;
    assert!(told.may_ask("9h").await);

    let right = format!("duration = {{ default = \"1h\", {MAX} }}");
    let wrong = format!("{right}\nactivaton = \"10m\"");
    told.writes(&right, &wrong.replace("8h", "8x"));
    for times in [1, 2] {
        send(&bot, Signal::SIGHUP);
        told.until_logged("can't be used; nothing changed", times)
            .await;
    }
    for problem in [
        "resource.staging-ssh.activaton: is no key that is known here",
        "resource.staging-ssh.duration.max",
    ] {
        assert_eq!(told.logged(problem), 2, "{problem}");
    }
    let security = &told.scene.people;
    security
        .wait_for("U0CAROL", SECURITY, "was not taken up", WAIT)
        .await
        .unwrap();
    assert!(told.may_ask("8h30m").await, "what was taken up last holds");
    let read = security.messages("U0CAROL", SECURITY).await.unwrap();
    let times = read
        .iter()
        .filter(|m| m.visible_text.contains("was not taken up"))
        .count();
    assert_eq!(times, 1, "told once");
    ends_well(bot).await;
}

#[tokio::test]
async fn of_two_quick_ones_the_last_file_wins_also_when_the_second_comes_while_the_first_is_read() {
    let told = Told::set(&Setup::default()).await;
    let bot = told.scene.ready(told.command()).await;
    // Slack takes a second to list its channels, so the first file is being taken up that long.
    let people = &told.scene.people;
    people
        .fault("conversations.list", 1, FaultKind::Delay(1_000))
        .await
        .unwrap();
    told.writes(MAX, "max = \"9h\"");
    send(&bot, Signal::SIGHUP);
    told.until_logged("reading the config again", 1).await;
    told.writes(MAX, "max = \"10h\"");
    send(&bot, Signal::SIGHUP);
    send(&bot, Signal::SIGHUP);
    told.until_logged(IN_FORCE, 2).await;
    assert!(told.may_ask("10h").await);
    ends_well(bot).await;
}

#[tokio::test]
async fn it_is_heard_before_the_bot_is_ready_and_kills_it_neither_then_nor_while_it_stops() {
    let told = Told::set(&Setup::default()).await;
    let people = &told.scene.people;
    people
        .fault("auth.test", 1, FaultKind::Delay(1_500))
        .await
        .unwrap();
    let mut command = told.command();
    command.env("RUST_LOG", "debug");
    let mut bot = command.spawn().unwrap();
    // The database's lock is taken before Slack is asked.
    let locked = async || told.scene.path().join("jitbot.db").exists();
    told.scene.until("the start", locked).await;
    told.writes(MAX, "max = \"9h\"");
    send(&bot, Signal::SIGHUP);
    let mut stdout = bot.stdout.take().unwrap();
    let mut line = [0_u8; 8];
    tokio::time::timeout(WAIT, stdout.read_exact(&mut line))
        .await
        .unwrap()
        .unwrap();
    people.wait_for_sockets(1, WAIT).await.unwrap();
    told.until_logged(IN_FORCE, 1).await;
    assert!(told.may_ask("9h").await);

    // A card that takes long to post is finished before the bot ends.
    people
        .fault("chat.postMessage", 1, FaultKind::Delay(1_500))
        .await
        .unwrap();
    assert!(told.may_ask("7h").await);
    let posting = async || {
        let running = "SELECT key FROM jobs WHERE state = 'running'";
        !told.scene.sql(running).await.is_empty()
    };
    told.scene.until("a card is being posted", posting).await;
    send(&bot, Signal::SIGTERM);
    told.until_logged("stopping: finishing what is in flight", 1)
        .await;
    send(&bot, Signal::SIGHUP);
    let status = tokio::time::timeout(WAIT, bot.wait()).await.unwrap();
    assert_eq!(status.unwrap().code(), Some(0));
    assert_eq!(told.logged("reading the config again"), 1);
}

#[tokio::test]
async fn a_hosts_new_token_opens_and_the_old_one_no_longer_does() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let keep = tempfile::tempdir().unwrap();
    let token = keep.path().join("web1");
    let write = || {
        let fresh = format!("{:032x}", rand::random::<u128>());
        std::fs::write(&token, &fresh).unwrap();
        fresh
    };
    let old = write();
    let told = Told::set(&Setup {
        krl: Some(format!(
            "krl = {{ fetch = {{ hosts = {{ web1 = {{ token = {{ file = \"{}\" }} }} }} }} }}",
            token.display()
        )),
        more_config: format!("[http]\nlisten = \"{port}\"\n"),
        ..Setup::default()
    })
    .await;
    let bot = told.scene.ready(told.command()).await;
    let served = async |token: &str| {
        let mut stream = tokio::net::TcpStream::connect(port).await.unwrap();
        let ask = format!(
            "GET /krl/staging-ca HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[9..12]).into_owned()
    };
    let first = async || served(&old).await == "200";
    told.scene.until("the list is served", first).await;
    // As the guide says: the old token is kept as the former one, and both open until the host shows
    // the new one.
    let former = keep.path().join("web1-former");
    std::fs::write(&former, &old).unwrap();
    let new = write();
    assert_eq!(served(&new).await, "401");
    let (token, former) = (token.display(), former.display());
    let one = format!("{{ token = {{ file = \"{token}\" }} }}");
    let both =
        format!("{{ token = {{ file = \"{token}\" }}, former_token = {{ file = \"{former}\" }} }}");
    told.writes(&one, &both);
    send(&bot, Signal::SIGHUP);
    told.until_logged(IN_FORCE, 1).await;
    // The list that was handed out is still handed out: no host meets a gap.
    assert_eq!(served(&old).await, "200");
    assert_eq!(served(&new).await, "200");
    told.writes(&one, &one);
    send(&bot, Signal::SIGHUP);
    told.until_logged(IN_FORCE, 2).await;
    assert_eq!(served(&new).await, "200");
    assert_eq!(served(&old).await, "401");
    ends_well(bot).await;
}

#[tokio::test]
async fn tokens_in_files_are_exchanged_while_people_go_on_and_the_old_ones_are_needed_no_more() {
    let mut told = Told::set(&Setup::default()).await;
    let folder = told.scene.path().to_owned();
    let write = |(bot, app): &(String, String)| {
        std::fs::write(folder.join("bot-token"), bot).unwrap();
        std::fs::write(folder.join("app-token"), app).unwrap();
    };
    for (variable, file) in [
        ("SLACK_BOT_TOKEN", "bot-token"),
        ("SLACK_APP_TOKEN", "app-token"),
    ] {
        let path = folder.join(file).display().to_string();
        let (old, new) = (
            format!("env = \"{variable}\""),
            format!("file = \"{path}\""),
        );
        told.config = told.config.replace(&old, &new);
    }
    std::fs::write(folder.join("jitbot.toml"), &told.config).unwrap();
    write(&told.scene.tokens);
    let bot = told.scene.ready(told.command()).await;
    let people = &told.scene.people;
    people.wait_for_sockets(SOCKETS, WAIT).await.unwrap();

    // As when the app is installed anew: the bot's token before is refused from here on.
    let fresh = |prefix: &str| format!("{prefix}{:032x}", rand::random::<u128>());
    let next = (fresh("xoxb-"), fresh("xapp-"));
    for token in [&next.0, &next.1] {
        let issued = Change::IssueToken(token.clone());
        people.change(issued).await.unwrap();
    }
    let typed = "/jit request staging-ssh 1h please";
    let answer = people.command(id_of("alice"), APPROVALS, typed).await;
    let id = support::reference(&answer.unwrap().visible_text).unwrap();

    write(&next);
    send(&bot, Signal::SIGHUP);
    let exchanged = "the sockets to Slack were opened with another app token";
    told.scene
        .until("every command is answered meanwhile", async || {
            let listed = people.command(id_of("alice"), APPROVALS, "/jit list").await;
            assert!(listed.unwrap().acked);
            let _ = tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>())
                .await;
            told.logged(exchanged) > 0
        })
        .await;
    people.change(Change::RevokeFormerTokens).await.unwrap();
    // What could not be posted meanwhile is posted.
    people
        .wait_for(id_of("bob"), APPROVALS, &id, WAIT)
        .await
        .unwrap();
    // Slack refreshes the sockets, and they open again.
    let refreshed = people
        .disconnect_sockets(Disconnect::RefreshRequested)
        .await;
    assert_eq!(refreshed.unwrap(), SOCKETS);
    people.wait_for_sockets(SOCKETS, WAIT).await.unwrap();
    assert!(told.may_ask("7h").await);
    for secret in [&next.0, &next.1] {
        assert_eq!(told.logged(secret), 0);
    }
    ends_well(bot).await;
}

//! A headless Chromium, and a person's eyes and hands on it.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::driver::{Driver, FLAGS};
use crate::webdriver::{By, Element, Key, Typed, WebDriver, css as selector};

/// Longest that anything may take to become visible.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for what a person would wait for"
)]
pub async fn a_moment() {
    tokio::time::sleep(BETWEEN_LOOKS).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "patience is measured in real time"
)]
fn now() -> Instant {
    Instant::now()
}

/// Width, height and scheme of a screen.
#[derive(Clone, Copy)]
pub struct Screen {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
    /// Its person wants no motion.
    pub calm: bool,
}

pub const DESK: Screen = Screen {
    width: 1500,
    height: 1000,
    dark: false,
    calm: false,
};
pub const CALM: Screen = Screen { calm: true, ..DESK };
pub const DARK: Screen = Screen { dark: true, ..DESK };
pub const PHONE: Screen = Screen {
    width: 360,
    height: 740,
    dark: false,
    calm: false,
};

/// A person at a browser.
#[derive(Clone)]
pub struct Browser {
    pub driver: WebDriver,
}

/// Plays a story in a browser; when it fails, what was to be seen is kept under `target/page`.
pub async fn story<F>(name: &str, screen: Screen, address: &str, play: F)
where
    F: AsyncFnOnce(Browser),
{
    let profile = tempfile::tempdir().unwrap();
    let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    arguments.push(format!("--window-size={},{}", screen.width, screen.height));
    let mut options = json!({ "args": arguments });
    if screen.width < 500 {
        options["mobileEmulation"] = json!({ "deviceMetrics": { "width": screen.width, "height": screen.height, "pixelRatio": 2, "touch": true } });
    }
    let wanted = json!({
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    let server = Driver::start(profile);
    let driver = WebDriver::open(&server.url, wanted)
        .await
        .expect("Chromium starts");
    let browser = Browser {
        driver: driver.clone(),
    };
    let mut features = Vec::new();
    if screen.dark {
        features.push(json!({ "name": "prefers-color-scheme", "value": "dark" }));
    }
    if screen.calm {
        features.push(json!({ "name": "prefers-reduced-motion", "value": "reduce" }));
    }
    let features = json!({ "features": features });
    browser
        .devtools("Emulation.setEmulatedMedia", features)
        .await;
    browser.driver.goto(address).await.unwrap();
    let played = AssertUnwindSafe(async { play(browser.clone()).await })
        .catch_unwind()
        .await;
    let said = browser.console().await;
    if let Err(panic) = played {
        keep(name, &browser, &said).await;
        std::panic::resume_unwind(panic);
    }
    // Its parts scroll, never the window.
    let below =
        "const page = document.scrollingElement; return page.scrollHeight - page.clientHeight;";
    let below = browser.measure(below).await;
    if below != 0 {
        keep(name, &browser, &said).await;
        panic!("the window could be scrolled into nothing, by {below} pixels");
    }
    let errors: Vec<&String> = said
        .iter()
        .filter(|line| line.starts_with("SEVERE"))
        .collect();
    if !errors.is_empty() {
        keep(name, &browser, &said).await;
        panic!("the page's console has errors: {errors:#?}");
    }
    driver.quit().await.unwrap();
}

async fn keep(name: &str, browser: &Browser, said: &[String]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/page");
    std::fs::create_dir_all(&folder).unwrap();
    let page = browser.text("body").await;
    std::fs::write(
        folder.join(format!("{name}.txt")),
        format!("{}\n\n{page}\n", said.join("\n")),
    )
    .unwrap();
    let picture = folder.join(format!("{name}.png"));
    // The failure itself says more than a picture that can't be had.
    let _ = browser.driver.screenshot(&picture).await;
    eprintln!("What the page looked like: {}", picture.display());
}

impl Browser {
    async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.driver.post("/goog/cdp/execute", body).await.unwrap();
    }

    /// What the page's console said, each line with its level.
    async fn console(&self) -> Vec<String> {
        let lines = self
            .driver
            .post("/se/log", json!({ "type": "browser" }))
            .await
            .unwrap_or_default();
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .map(|line| {
                format!(
                    "{} {}",
                    line["level"].as_str().unwrap_or("?"),
                    line["message"].as_str().unwrap_or("?")
                )
            })
            .collect()
    }

    /// Looks until `look` sees something; `what` tells what was waited for.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let since = now();
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{what} was not to be seen; instead:\n{}",
                self.text("body").await
            );
            a_moment().await;
        }
    }

    /// The visible text of the first element that a selector finds; empty if there is none.
    pub async fn text(&self, css: &str) -> String {
        match self.driver.find(&selector(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until this text is visible within the first element that a selector finds.
    pub async fn sees(&self, css: &str, words: &str) {
        let what = format!("{words:?} in {css}");
        self.until(&what, async || {
            self.text(css).await.contains(words).then_some(())
        })
        .await;
    }

    /// Waits for a displayed element.
    pub async fn finds(&self, by: By) -> Element {
        let what = format!("{by:?}");
        self.until(&what, async || {
            for element in self.driver.find_all(&by).await.ok()? {
                if element.is_displayed().await.unwrap_or(false) {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    /// Whether something that a selector finds is displayed now.
    pub async fn shows(&self, css: &str) -> bool {
        for element in self.driver.find_all(&selector(css)).await.unwrap() {
            if element.is_displayed().await.unwrap_or(false) {
                return true;
            }
        }
        false
    }

    /// Clicks; what is drawn anew between the look and the click is looked for again.
    pub async fn click(&self, by: By) {
        let what = format!("a click on {by:?}");
        self.until(&what, async || {
            self.finds(by.clone()).await.click().await.ok()
        })
        .await;
    }

    /// Moves the focus, to what is there when it is drawn anew.
    pub async fn focus(&self, by: By) {
        let what = format!("the focus on {by:?}");
        self.until(&what, async || {
            self.finds(by.clone()).await.focus().await.ok()
        })
        .await;
    }

    /// Clicks the button that shows this, the newest if there are several.
    pub async fn press(&self, label: &str) {
        let by = By::XPath(format!("(//button[normalize-space(.)='{label}'])[last()]"));
        self.click(by).await;
    }

    /// Becomes somebody, by the name in the list of people.
    pub async fn become_(&self, name: &str) {
        let by = By::XPath(format!(
            "//nav//button[contains(@class,'person')][.//*[normalize-space(text())='{name}']]"
        ));
        self.click(by).await;
        self.until(&format!("{name} chosen"), async || {
            // On a phone the list of people has gone out of sight by then.
            let here = "return document.querySelector('.person[aria-current=true] .side-name')?.textContent;";
            (self.measure(here).await == name).then_some(())
        })
        .await;
    }

    /// Goes to a channel, or to the messages with the app by its name.
    pub async fn goes_to(&self, place: &str) {
        let by = By::XPath(format!(
            "//nav//button[contains(@class,'place')][.//*[normalize-space(text())='{place}']]"
        ));
        self.click(by).await;
        self.until(place, async || {
            self.text(".place-head h1")
                .await
                .contains(place)
                .then_some(())
        })
        .await;
    }

    /// Types a line and sends it.
    pub async fn types(&self, line: &str) {
        let composer = self.finds(selector(".composer textarea")).await;
        composer.send_keys(line).await.unwrap();
        composer.send_keys(Key::Enter).await.unwrap();
    }

    /// What a measuring script gives back.
    pub async fn measure(&self, script: &str) -> Value {
        self.driver.execute(script).await.unwrap()
    }

    /// Keys for whatever has the focus. Where that is drawn anew in the same moment, they go to what
    /// has it then.
    pub async fn keys(&self, keys: impl Into<Typed>) {
        let keys: Typed = keys.into();
        self.until("something that takes keys", async || {
            let focused = self.driver.active_element().await.ok()?;
            focused.send_keys(keys.clone()).await.ok()
        })
        .await;
    }

    /// What has the focus: its name as far as it has one, else its text.
    pub async fn focused(&self) -> String {
        let script = "const one = document.activeElement; return one === document.body ? '' : one.getAttribute('aria-label') || (one.labels && one.labels[0] && one.labels[0].textContent) || one.textContent || one.tagName;";
        self.measure(script)
            .await
            .as_str()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }
}

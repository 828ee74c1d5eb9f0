//! What the stories need of WebDriver (W3C Recommendation of 2018), over the HTTP client that is here
//! already. A crate for it would switch on `preserve_order` of serde_json for every test, and what the
//! tests run would no longer be what ships.

use std::ops::Add;
use std::path::Path;

use axum::http::{Method, Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Under this key an answer names an element (§12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub type Outcome<T> = Result<T, String>;

/// How an element is found.
#[derive(Debug, Clone)]
pub enum By {
    Css(String),
    XPath(String),
}

impl By {
    fn body(&self) -> Value {
        match self {
            Self::Css(css) => json!({ "using": "css selector", "value": css }),
            Self::XPath(path) => json!({ "using": "xpath", "value": path }),
        }
    }
}

/// A selector.
pub fn css(selector: &str) -> By {
    By::Css(selector.to_owned())
}

/// Keys without a character (§17.4.2).
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Tab = 0xE004,
    Enter = 0xE007,
    Alt = 0xE00A,
    Escape = 0xE00C,
    Space = 0xE00D,
    Up = 0xE013,
    Down = 0xE015,
}

/// What is typed.
#[derive(Debug, Clone)]
pub struct Typed(String);

impl From<Key> for Typed {
    fn from(key: Key) -> Self {
        Self(char::from_u32(key as u32).unwrap().to_string())
    }
}

impl From<&str> for Typed {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Add<&str> for Key {
    type Output = Typed;

    fn add(self, text: &str) -> Typed {
        Typed(Typed::from(self).0 + text)
    }
}

impl Add<Key> for Typed {
    type Output = Self;

    fn add(self, key: Key) -> Self {
        Self(self.0 + &Self::from(key).0)
    }
}

/// One session with a browser.
#[derive(Debug, Clone)]
pub struct WebDriver {
    client: Client<HttpConnector, Full<Bytes>>,
    session: String,
}

#[derive(Debug, Clone)]
pub struct Element {
    driver: WebDriver,
    id: String,
}

impl WebDriver {
    /// Opens a browser.
    pub async fn open(server: &str, capabilities: Value) -> Outcome<Self> {
        let mut driver = Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            session: format!("{server}/session"),
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let opened = driver.post("", wanted).await?;
        let id = opened["sessionId"].as_str().ok_or("no session")?;
        driver.session = format!("{}/{id}", driver.session);
        Ok(driver)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Outcome<Value> {
        let failed = |error: &dyn std::fmt::Display| format!("{path}: {error}");
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.session))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(
                body.map(|body| body.to_string()).unwrap_or_default(),
            )))
            .map_err(|error| failed(&error))?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| failed(&error))?;
        let status = answer.status();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| failed(&error))?
            .to_bytes();
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
        if status.is_success() {
            Ok(value["value"].clone())
        } else {
            Err(failed(&value["value"]["message"]))
        }
    }

    /// A command with a body.
    pub async fn post(&self, path: &str, body: Value) -> Outcome<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn get(&self, path: &str) -> Outcome<Value> {
        self.call(Method::GET, path, None).await
    }

    fn element(&self, value: &Value) -> Outcome<Element> {
        let id = value[ELEMENT].as_str().ok_or("no element")?;
        Ok(Element {
            driver: self.clone(),
            id: id.to_owned(),
        })
    }

    pub async fn goto(&self, address: &str) -> Outcome<()> {
        self.post("/url", json!({ "url": address }))
            .await
            .map(|_| ())
    }

    pub async fn refresh(&self) -> Outcome<()> {
        self.post("/refresh", json!({})).await.map(|_| ())
    }

    pub async fn title(&self) -> Outcome<String> {
        let title = self.get("/title").await?;
        Ok(title.as_str().unwrap_or_default().to_owned())
    }

    pub async fn find(&self, by: &By) -> Outcome<Element> {
        let found = self.post("/element", by.body()).await?;
        self.element(&found)
    }

    pub async fn find_all(&self, by: &By) -> Outcome<Vec<Element>> {
        let found = self.post("/elements", by.body()).await?;
        let found = found.as_array().cloned().unwrap_or_default();
        found.iter().map(|one| self.element(one)).collect()
    }

    pub async fn active_element(&self) -> Outcome<Element> {
        let found = self.get("/element/active").await?;
        self.element(&found)
    }

    /// Runs a script that measures, and gives back what it returns.
    pub async fn execute(&self, script: &str) -> Outcome<Value> {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/sync", body).await
    }

    /// The same for a script that calls back.
    pub async fn execute_async(&self, script: &str) -> Outcome<Value> {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/async", body).await
    }

    /// A picture of what is to be seen.
    pub async fn screenshot(&self, to: &Path) -> Outcome<()> {
        use base64::Engine as _;
        let picture = self.get("/screenshot").await?;
        let png = base64::engine::general_purpose::STANDARD
            .decode(picture.as_str().unwrap_or_default())
            .map_err(|error| error.to_string())?;
        std::fs::write(to, png).map_err(|error| error.to_string())
    }

    pub async fn quit(self) -> Outcome<()> {
        self.call(Method::DELETE, "", None).await.map(|_| ())
    }
}

impl Element {
    fn path(&self, what: &str) -> String {
        format!("/element/{}/{what}", self.id)
    }

    pub async fn click(&self) -> Outcome<()> {
        self.driver
            .post(&self.path("click"), json!({}))
            .await
            .map(|_| ())
    }

    pub async fn send_keys(&self, typed: impl Into<Typed>) -> Outcome<()> {
        let typed: Typed = typed.into();
        self.driver
            .post(&self.path("value"), json!({ "text": typed.0 }))
            .await
            .map(|_| ())
    }

    pub async fn text(&self) -> Outcome<String> {
        let text = self.driver.get(&self.path("text")).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub async fn attr(&self, name: &str) -> Outcome<Option<String>> {
        let held = self
            .driver
            .get(&self.path(&format!("attribute/{name}")))
            .await?;
        Ok(held.as_str().map(str::to_owned))
    }

    /// What an input holds now.
    pub async fn value(&self) -> Outcome<Option<String>> {
        let held = self.driver.get(&self.path("property/value")).await?;
        Ok(held.as_str().map(str::to_owned))
    }

    pub async fn clear(&self) -> Outcome<()> {
        self.driver
            .post(&self.path("clear"), json!({}))
            .await
            .map(|_| ())
    }

    /// Gives it the focus, as a person's tab key would in the end.
    pub async fn focus(&self) -> Outcome<()> {
        let body = json!({ "script": "arguments[0].focus()", "args": [{ ELEMENT: self.id }] });
        self.driver.post("/execute/sync", body).await.map(|_| ())
    }

    pub async fn is_enabled(&self) -> Outcome<bool> {
        let enabled = self.driver.get(&self.path("enabled")).await?;
        Ok(enabled == true)
    }

    pub async fn is_displayed(&self) -> Outcome<bool> {
        let shown = self.driver.get(&self.path("displayed")).await?;
        Ok(shown == true)
    }
}

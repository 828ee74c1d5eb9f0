//! The page and its calls answer their own address alone.

use axum::http::{Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::house::demo;

async fn ask(
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, header::HeaderMap, String) {
    let mut request =
        Request::builder()
            .uri(url)
            .method(if body.is_empty() { "GET" } else { "POST" });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (
        parts.status,
        parts.headers,
        String::from_utf8_lossy(&body).into_owned(),
    )
}

#[tokio::test]
async fn other_sites_and_other_names_are_refused_everywhere() {
    let demo = demo();
    let base = demo.page.trim_end_matches('/');
    let own = base.trim_start_matches("http://");
    let json = ("content-type", "application/json");
    let sight = r#"{"user":"U0ALICE","place":null}"#;
    let command = r#"{"user":"U0ALICE","place":"direct","typed":"/jit help"}"#;
    let calls = [
        ("/", ""),
        ("/sandbox/log", ""),
        ("/sandbox/sight", sight),
        ("/sandbox/command", command),
        ("/console/state", ""),
        ("/console/pass", r#"{"to":"1m"}"#),
    ];
    for (path, body) in calls {
        let url = format!("{base}{path}");
        let (status, _, said) = ask(&url, &[json], body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {said}");
        for foreign in [
            ("host", "evil.example"),
            ("host", "127.0.0.1"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:1"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let (status, _, said) = ask(&url, &[json, foreign], body).await;
            assert_eq!(
                status,
                StatusCode::FORBIDDEN,
                "{path} with {foreign:?}: {said}"
            );
            assert!(said.contains("Nothing was done"), "{said}");
        }
        let (status, _, _) = ask(
            &url,
            &[
                json,
                ("origin", base),
                ("host", own),
                ("sec-fetch-site", "same-origin"),
            ],
            body,
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{path} from its own page");
    }
    // What another site may send without asking first is no JSON, and is not taken for it.
    let (status, _, _) = ask(
        &format!("{base}/sandbox/command"),
        &[("content-type", "text/plain")],
        command,
    )
    .await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn the_consoles_own_port_refuses_pages_too() {
    let demo = demo();
    let base = demo.page.trim_end_matches('/');
    let (status, _, state) = ask(&format!("{base}/console/state"), &[], "").await;
    assert_eq!(status, StatusCode::OK);
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["passing"], false);
    let port = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|process| std::fs::read_to_string(process.ok()?.path().join("cmdline")).ok())
        .find_map(|line| {
            let words: Vec<&str> = line.split('\0').collect();
            let at = words.iter().position(|word| *word == "--console")?;
            demo.said
                .contains(
                    words
                        .iter()
                        .position(|word| *word == "--world")
                        .map(|at| words[at + 1].trim_end_matches("/world.json"))?,
                )
                .then(|| words[at + 1].to_owned())
        })
        .expect("the sandbox was told where the console is");
    let (status, _, _) = ask(&format!("http://{port}/state"), &[("origin", base)], "").await;
    assert_eq!(
        status,
        StatusCode::FORBIDDEN,
        "even the page's own: it goes through the sandbox"
    );
    let (status, _, _) = ask(
        &format!("http://{port}/state"),
        &[("host", "evil.example")],
        "",
    )
    .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_the_pages_own_files_may_run() {
    let demo = demo();
    for path in ["", "page/app.mjs", "page/layout.css", "page/icon.svg"] {
        let (status, headers, text) = ask(&format!("{}{path}", demo.page), &[], "").await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        for outside in [
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "//cdn",
            "https://fonts",
        ] {
            assert!(!text.contains(outside), "{path} has {outside}");
        }
    }
    let (status, _, _) = ask(&format!("{}page/../../../etc/passwd", demo.page), &[], "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

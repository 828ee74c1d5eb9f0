//! Who may call a service on loopback from a browser: its own page and nobody else.
//!
//! A browser runs scripts of any site. One that makes its name mean 127.0.0.1 (DNS rebinding) is
//! known by `Host`; one that sends requests across is known by `Origin` and `Sec-Fetch-Site`, which no
//! script can leave out or forge. Programs send neither.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

const SEC_FETCH_SITE: &str = "sec-fetch-site";
const SEC_FETCH_MODE: &str = "sec-fetch-mode";
const SEC_FETCH_DEST: &str = "sec-fetch-dest";

/// Why a request to the service at `own` is refused; none: it is answered.
#[must_use]
pub fn refusal(method: &Method, headers: &HeaderMap, own: SocketAddr) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST.as_str());
    let port = own.port();
    let names = [own.to_string(), format!("localhost:{port}")];
    let Some(host) = host.filter(|host| names.iter().any(|name| name == host)) else {
        return Some("it was sent to another name than this service's own address");
    };
    if let Some(origin) = text(header::ORIGIN.as_str())
        && origin != format!("http://{host}")
    {
        return Some("it comes from another site's page");
    }
    // Somebody who follows a link to the page arrives from elsewhere; what a script asks does not.
    let followed_a_link = method == Method::GET
        && text(SEC_FETCH_MODE) == Some("navigate")
        && text(SEC_FETCH_DEST) == Some("document");
    match text(SEC_FETCH_SITE) {
        None | Some("same-origin" | "none") => None,
        Some(_) if followed_a_link => None,
        Some(_) => Some("it comes from another site's page"),
    }
}

/// Middleware that holds [`refusal`].
pub async fn own_page_only(
    State(own): State<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match refusal(request.method(), request.headers(), own) {
        None => next.run(request).await,
        Some(why) => (
            StatusCode::FORBIDDEN,
            format!(
                "This request was refused: {why}. Nothing was done. Open http://{own}/ itself.\n"
            ),
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        refusal(&method, &headers, "127.0.0.1:4000".parse().unwrap()).is_none()
    }

    #[test]
    fn the_own_page_and_programs_are_answered() {
        let own = ("host", "127.0.0.1:4000");
        assert!(asked(Method::POST, &[own]), "a program");
        assert!(asked(
            Method::POST,
            &[
                own,
                ("origin", "http://127.0.0.1:4000"),
                ("sec-fetch-site", "same-origin")
            ]
        ));
        assert!(asked(
            Method::POST,
            &[
                ("host", "localhost:4000"),
                ("origin", "http://localhost:4000")
            ]
        ));
        assert!(
            asked(Method::GET, &[own, ("sec-fetch-site", "none")]),
            "typed"
        );
        let link = [
            own,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(asked(Method::GET, &link), "a link was followed");
    }

    #[test]
    fn other_names_and_other_sites_are_refused() {
        let own = ("host", "127.0.0.1:4000");
        assert!(!asked(Method::GET, &[]), "no name at all");
        for host in [
            "evil.example:4000",
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost",
        ] {
            assert!(!asked(Method::GET, &[("host", host)]), "{host}");
        }
        for origin in [
            "http://evil.example",
            "null",
            "http://127.0.0.1:4001",
            "https://127.0.0.1:4000",
            "http://localhost:4000",
        ] {
            assert!(!asked(Method::POST, &[own, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(
                !asked(Method::GET, &[own, ("sec-fetch-site", site)]),
                "{site}"
            );
        }
        let form = [
            own,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(!asked(Method::POST, &form), "a form on another site");
        let frame = [
            own,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
        ];
        assert!(!asked(Method::GET, &frame), "a frame on another site");
    }
}

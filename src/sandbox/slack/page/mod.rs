//! The page at `/`: the people's side for a browser. Its files are compiled in; it fetches nothing from
//! outside, runs no script but its own files, and asks for what it shows over `/sandbox/…`.

mod console;

use axum::Router;
use axum::http::header::{self, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use super::workspace::Shared;

/// Only the page's own files run, style and answer it, nobody frames it, and no text becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal $kind:ident $file:literal),+ $(,)?) => {
        [$(($path, $kind, include_str!(concat!("files/", $file)))),+]
    };
}

/// Path, type and text of each file.
const FILES: &[(&str, &str, &str)] = &files![
    "/" HTML "page.html",
    "/page/app.mjs" SCRIPT "app.mjs",
    "/page/blocks.mjs" SCRIPT "blocks.mjs",
    "/page/composer.mjs" SCRIPT "composer.mjs",
    "/page/confirm.mjs" SCRIPT "confirm.mjs",
    "/page/console.css" CSS "console.css",
    "/page/console.mjs" SCRIPT "console.mjs",
    "/page/dates.mjs" SCRIPT "dates.mjs",
    "/page/dom.mjs" SCRIPT "dom.mjs",
    "/page/elements.mjs" SCRIPT "elements.mjs",
    "/page/emoji.mjs" SCRIPT "emoji.mjs",
    "/page/form.mjs" SCRIPT "form.mjs",
    "/page/forms.css" CSS "forms.css",
    "/page/icon.svg" SVG "icon.svg",
    "/page/layout.css" CSS "layout.css",
    "/page/messages.css" CSS "messages.css",
    "/page/messages.mjs" SCRIPT "messages.mjs",
    "/page/mrkdwn.mjs" SCRIPT "mrkdwn.mjs",
    "/page/pane.mjs" SCRIPT "pane.mjs",
    "/page/rich_text.mjs" SCRIPT "rich_text.mjs",
    "/page/server.mjs" SCRIPT "server.mjs",
    "/page/sidebar.mjs" SCRIPT "sidebar.mjs",
    "/page/text_object.mjs" SCRIPT "text_object.mjs",
    "/page/theme.mjs" SCRIPT "theme.mjs",
    "/page/tokens.css" CSS "tokens.css",
    "/page/trouble.mjs" SCRIPT "trouble.mjs",
];

pub(super) fn routes() -> Router<Shared> {
    let routes = Router::new().route("/console/{*path}", any(console::pass_on));
    FILES.iter().fold(routes, |routes, (path, kind, text)| {
        routes.route(path, get(async || file(kind, text)))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    (HEADERS, [(header::CONTENT_TYPE, kind)], text).into_response()
}

//! What a failed call means: whether something was done, and whether trying again helps.

use std::time::Duration;

use slack_morphism::errors::SlackClientError;

use crate::chat::port::PostError;

/// Seconds to wait where Slack limits us without saying how long.
const RATE_LIMIT_DEFAULT_S: i64 = 30;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct Failure {
    /// What is known of it.
    pub kind: Kind,
    /// Slack's error code, where it gave one.
    pub code: Option<String>,
    /// What happened, for people and logs; never a body, an address or a token.
    pub said: String,
}

/// What is known of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not done: wait so many seconds.
    RateLimited(i64),
    /// Not done; trying again may help.
    NotDone,
    /// Nobody knows whether it was done.
    Unknown,
    /// Not done: nothing can be posted to that channel. Looking at it shows that, or doesn't.
    NoPlace {
        /// Whether `conversations.info` tells.
        shows: bool,
    },
    /// Not done, and never will be.
    Never,
}

impl Failure {
    /// A word for what is known of it.
    pub(super) const fn word(&self) -> &'static str {
        match self.kind {
            Kind::RateLimited(_) => "rate_limited",
            Kind::NotDone => "not_done",
            Kind::Unknown => "unknown",
            Kind::NoPlace { .. } => "no_place",
            Kind::Never => "never",
        }
    }

    /// A failure of ours before any call.
    pub(super) fn never(said: impl Into<String>) -> Self {
        Self {
            kind: Kind::Never,
            code: None,
            said: said.into(),
        }
    }

    /// No answer within the limit.
    pub(super) fn timed_out(method: &str, limit: Duration) -> Self {
        Self {
            kind: Kind::Unknown,
            code: None,
            said: format!(
                "{method}: no answer from Slack within {} s",
                limit.as_secs()
            ),
        }
    }

    /// Nothing answers there.
    pub(super) fn unreachable(method: &str) -> Self {
        Self {
            kind: Kind::NotDone,
            code: None,
            said: format!("{method}: Slack can't be reached"),
        }
    }

    /// The connection broke.
    pub(super) fn broken(method: &str) -> Self {
        Self {
            kind: Kind::Unknown,
            code: None,
            said: format!("{method}: the connection broke before Slack answered"),
        }
    }

    /// What slack-morphism's error says.
    pub(super) fn of(method: &str, error: &SlackClientError) -> Self {
        let (kind, code, what) = match error {
            SlackClientError::RateLimitError(limit) => {
                let after_s = limit.retry_after.map_or(RATE_LIMIT_DEFAULT_S, |after| {
                    i64::try_from(after.as_secs()).unwrap_or(RATE_LIMIT_DEFAULT_S)
                });
                (
                    Kind::RateLimited(after_s.max(1)),
                    None,
                    format!("Slack asks to wait {} s", after_s.max(1)),
                )
            }
            SlackClientError::ApiError(api) => {
                let details = api.errors.as_deref().unwrap_or_default().join("; ");
                let what = if details.is_empty() {
                    api.code.clone()
                } else {
                    format!("{} ({details})", api.code)
                };
                (meaning(&api.code), Some(api.code.clone()), what)
            }
            // The request reached something: a gateway may answer 5xx after Slack did the work.
            SlackClientError::HttpError(http) => {
                let status = http.status_code;
                let kind = match status.as_u16() {
                    413 => Kind::Never,
                    // Redirects and refusals: not done. A wrong address or a proxy, which people mend.
                    300..=499 => Kind::NotDone,
                    _ => Kind::Unknown,
                };
                (kind, None, format!("HTTP status {}", status.as_u16()))
            }
            SlackClientError::HttpProtocolError(http) => {
                let cause = http
                    .cause
                    .as_deref()
                    .and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>());
                match cause {
                    Some(error) if error.is_connect() => {
                        (Kind::NotDone, None, "Slack can't be reached".to_owned())
                    }
                    _ => (
                        Kind::Unknown,
                        None,
                        "the connection broke before Slack answered".to_owned(),
                    ),
                }
            }
            SlackClientError::ProtocolError(protocol) => (
                Kind::Unknown,
                None,
                format!(
                    "Slack's answer can't be read: {:?}",
                    protocol.json_error.classify()
                ),
            ),
            SlackClientError::EndOfStream(_) => {
                (Kind::Unknown, None, "Slack's answer broke off".to_owned())
            }
            SlackClientError::SystemError(_) | SlackClientError::SocketModeProtocolError(_) => {
                (Kind::Unknown, None, "the call broke".to_owned())
            }
        };
        Self {
            kind,
            code,
            said: format!("{method}: {what}"),
        }
    }

    /// Whether Slack gave one of these codes.
    pub(super) fn is_one_of(&self, codes: &[&str]) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| codes.contains(&code))
    }

    /// Slack said nothing of its own: it can't be reached, is too slow, or wants to be left alone.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.code.is_none()
    }

    /// For something that must not be done twice.
    pub(super) fn once(self) -> PostError {
        match self.kind {
            Kind::RateLimited(after_s) => PostError::RateLimited { after_s },
            Kind::NotDone => PostError::Retry { said: self.said },
            Kind::Unknown => PostError::Unknown { said: self.said },
            Kind::NoPlace { shows } => PostError::NoPlace {
                said: self.said_code_first(),
                shows,
            },
            Kind::Never => PostError::Permanent {
                said: self.said_code_first(),
            },
        }
    }

    /// For something that may be done again without harm.
    pub(super) fn repeatable(self) -> PostError {
        match self.kind {
            Kind::Unknown => PostError::Retry { said: self.said },
            Kind::RateLimited(_) | Kind::NotDone | Kind::NoPlace { .. } | Kind::Never => {
                self.once()
            }
        }
    }

    fn said_code_first(self) -> String {
        match self.code {
            Some(code) => format!("{code}: {}", self.said),
            None => self.said,
        }
    }
}

/// What an error code of the Web API means. From the error tables of the methods' reference pages
/// (chat.postMessage, chat.update, chat.postEphemeral, conversations.*, users.info, auth.test).
fn meaning(code: &str) -> Kind {
    match code {
        // The channel is gone, archived, or we are not in it.
        "channel_not_found" | "not_in_channel" | "is_archived" | "is_inactive" => {
            Kind::NoPlace { shows: true }
        }
        // The channel is there, but closed to us. Nothing that can be asked for tells.
        "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "external_channel_migrating" => Kind::NoPlace { shows: false },
        // To whom it should go is gone, closed to us, or never was.
        "user_not_in_channel" | "user_not_found" | "users_not_found" | "users_list_not_supplied"
        | "user_disabled" | "user_not_visible" | "cannot_dm_bot" | "messages_tab_disabled"
        | "restricted_action_thread_locked" | "no_permission" | "not_allowed"
        | "method_not_supported_for_channel_type" | "team_not_found" | "mpim_error" => Kind::Never,
        // The message to be changed is gone, or not ours.
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "cant_delete_message"
        | "is_thread_deleted" | "cannot_reply_to_message" => Kind::Never,
        // The payload is refused; the same one would be again.
        "msg_too_long" | "no_text" | "invalid_blocks" | "invalid_blocks_format"
        | "msg_blocks_too_long" | "block_mismatch" | "duplicate_block_id" | "too_many_attachments"
        | "attachment_payload_limit_exceeded" | "markdown_text_conflict" | "invalid_arguments"
        | "invalid_metadata_format" | "invalid_metadata_schema" | "metadata_must_be_sent_from_app"
        | "metadata_too_large" | "invalid_arg_name" | "invalid_array_arg" | "invalid_charset"
        | "invalid_form_data" | "invalid_post_type" | "invalid_json" | "json_not_object"
        | "too_long" | "unknown_method" | "method_deprecated" => Kind::Never,
        // Slack says of these two that a part may have been done before the error.
        "internal_error" | "fatal_error" => Kind::Unknown,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            Kind::RateLimited(RATE_LIMIT_DEFAULT_S)
        }
        // The app's token or scopes: people mend it, and what waits goes out then.
        "not_authed" | "invalid_auth" | "account_inactive" | "token_revoked" | "token_expired"
        | "missing_scope" | "not_allowed_token_type" | "team_access_not_granted"
        | "org_login_required" | "ekm_access_denied" | "access_denied" | "two_factor_setup_required"
        | "accesslimited"
        // Slack is busy or did not get all of the request.
        | "service_unavailable" | "request_timeout" | "team_added_to_org" | "missing_post_type" => {
            Kind::NotDone
        }
        // `ok: false` with a code that we don't know: not done. The job's own limit ends the trying.
        _ => Kind::NotDone,
    }
}

#[cfg(test)]
mod tests {
    use slack_morphism::errors::{SlackClientApiError, SlackClientHttpError, SlackRateLimitError};

    use super::*;

    fn api(code: &str) -> Failure {
        let error = SlackClientApiError::new(code.into())
            .with_http_response_body("{\"secret\":\"xoxb-1\"}".into());
        Failure::of("chat.postMessage", &SlackClientError::ApiError(error))
    }

    #[test]
    fn codes_mean_what_slack_says_they_mean() {
        for (code, shows) in [("is_archived", true), ("restricted_action", false)] {
            let said = format!("{code}: chat.postMessage: {code}");
            assert_eq!(api(code).once(), PostError::NoPlace { said, shows });
        }
        assert!(matches!(
            api("invalid_blocks").once(),
            PostError::Permanent { .. }
        ));
        assert!(matches!(
            api("invalid_auth").once(),
            PostError::Retry { .. }
        ));
        assert!(matches!(
            api("service_unavailable").once(),
            PostError::Retry { .. }
        ));
        assert!(matches!(
            api("internal_error").once(),
            PostError::Unknown { .. }
        ));
        assert!(matches!(
            api("internal_error").repeatable(),
            PostError::Retry { .. }
        ));
        assert!(matches!(
            api("something_new").once(),
            PostError::Retry { .. }
        ));
        assert_eq!(
            api("no_text").once(),
            PostError::Permanent {
                said: "no_text: chat.postMessage: no_text".into()
            }
        );
    }

    #[test]
    fn nothing_of_a_body_is_repeated() {
        let http = SlackClientHttpError::new(http_status(503))
            .with_http_response_body("token=xoxb-1".into());
        let failure = Failure::of("chat.update", &SlackClientError::HttpError(http));
        assert_eq!(failure.kind, Kind::Unknown);
        for failure in [failure, api("no_text")] {
            assert!(!format!("{failure:?} {failure}").contains("xoxb"));
        }
    }

    #[test]
    fn slacks_wait_is_kept() {
        let limit = |after: Option<u64>| {
            let error = SlackRateLimitError::new().opt_retry_after(after.map(Duration::from_secs));
            Failure::of("x", &SlackClientError::RateLimitError(error)).once()
        };
        assert_eq!(limit(Some(7)), PostError::RateLimited { after_s: 7 });
        assert_eq!(limit(Some(0)), PostError::RateLimited { after_s: 1 });
        assert_eq!(limit(None), PostError::RateLimited { after_s: 30 });
    }

    fn http_status(code: u16) -> axum::http::StatusCode {
        axum::http::StatusCode::from_u16(code).unwrap()
    }
}

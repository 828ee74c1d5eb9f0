//! Signatures of the Standard Webhooks specification: who receives a call can see that it is ours
//! and not older than it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// How a secret begins; what follows is base64.
const PREFIX: &str = "whsec_";
/// How many bytes a secret may have.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key within a secret's text.
///
/// # Errors
/// What is wrong with it, without it.
pub fn key(secret: &SecretString) -> Result<Vec<u8>, String> {
    let wrong = || {
        format!(
            "is no secret of a Standard Webhook: `{PREFIX}` and the base64 of {} to {} bytes; make \
             one with `echo \"{PREFIX}$(openssl rand -base64 32)\"`",
            SECRET_BYTES.start(),
            SECRET_BYTES.end()
        )
    };
    let text = secret
        .expose_secret()
        .strip_prefix(PREFIX)
        .ok_or_else(wrong)?;
    let key = STANDARD.decode(text).map_err(|_| wrong())?;
    if SECRET_BYTES.contains(&key.len()) {
        Ok(key)
    } else {
        Err(wrong())
    }
}

/// The value of `webhook-signature`: one signature for each secret.
///
/// # Errors
/// What is wrong with a secret, without it.
pub fn signatures(
    secrets: &[SecretString],
    id: &str,
    timestamp: i64,
    body: &str,
) -> Result<String, String> {
    let signed = format!("{id}.{timestamp}.{body}");
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let key = key(secret)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "can't be used".to_owned())?;
        mac.update(signed.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        signatures.push(format!("v1,{signature}"));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification and its libraries.
    #[test]
    fn it_signs_as_the_specification_does() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signatures(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(
            signed.as_deref(),
            Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        for text in [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_short",
            "whsec_c2hvcnQ=",
        ] {
            let said = key(&SecretString::from(text)).expect_err("no secret");
            assert!(!said.contains(text), "{said}");
        }
    }
}

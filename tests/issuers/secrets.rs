//! Secrets that a program was given, or gives: none is kept, shown or repeated.

use jitbot::issuer::contract::program::Variable;
use jitbot::issuer::contract::{Contracted, Program};
use jitbot::issuer::{IssueError, Issuer as _};
use secrecy::SecretString;

use super::script::{issuer, script};
use super::subject::{clock, order, settings, unknown};

/// A script that is given a secret as `$API_TOKEN`.
fn knowing(secret: &str, text: &str) -> Program {
    let mut program = script(text);
    program.environment = vec![(
        "API_TOKEN".to_owned(),
        Variable::Secret(SecretString::from(secret.to_owned())),
    )];
    program
}

#[tokio::test]
async fn no_secret_of_its_own_is_repeated() {
    let mut program = script("echo \"token $API_TOKEN is wrong\" >&2; exit 1");
    program.environment = vec![(
        "API_TOKEN".to_owned(),
        Variable::Secret(SecretString::from("token-of-a-test")),
    )];
    assert!(!format!("{program:?}").contains("token-of-a-test"));
    let said = unknown(issuer(program.clone()).issue(&order(1)).await);
    assert_eq!(
        said,
        "the program ended with status 1: token [secret] is wrong"
    );
    program.argv[2] =
        "echo \"{\\\"outcome\\\":\\\"permanent\\\",\\\"message\\\":\\\"$API_TOKEN\\\"}\""
            .to_owned();
    let error = issuer(program).issue(&order(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "the target refuses for good: [secret]");
}

/// Nobody who approved was told of it: it is refused in words that don't repeat it.
#[tokio::test]
async fn a_secret_that_the_config_does_not_declare_is_refused_and_not_repeated() {
    let answer = issuer(script(
        "echo '{\"outcome\":\"ok\",\"secret\":\"hunter2-hunter2\"}'",
    ))
    .issue(&order(1))
    .await;
    let Err(IssueError::Permanent { said }) = answer else {
        panic!("{answer:?}")
    };
    assert!(said.starts_with("the answer holds a secret"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

/// Cut first, what is left of it would be no secret that anybody knows.
#[tokio::test]
async fn a_secret_longer_than_a_sentence_is_not_repeated_either() {
    let secret = "5ecr3t".repeat(100);
    for text in [
        "echo $API_TOKEN >&2; exit 1",
        "echo $API_TOKEN >&2; exit 75",
        "head -c 16300 /dev/zero | tr '\\0' '\\n' >&2; echo $API_TOKEN >&2; exit 1",
        "echo \"{\\\"outcome\\\":\\\"retry\\\",\\\"message\\\":\\\"$API_TOKEN\\\"}\"",
        "echo \"{\\\"outcome\\\":\\\"$API_TOKEN\\\"}\"",
        "echo \"{\\\"outcome\\\":\\\"ok\\\",\\\"$API_TOKEN\\\":1}\"",
    ] {
        let error = issuer(knowing(&secret, text)).issue(&order(1)).await;
        let said = error.unwrap_err().to_string();
        assert!(
            said.contains("[secret]") && !said.contains("5ecr"),
            "{text}: {said}"
        );
    }
}

/// It would be kept with the grant, shown to the beneficiary, or sent back.
#[tokio::test]
async fn an_answer_that_repeats_a_secret_is_refused() {
    for fields in [
        r#""message":"use @""#,
        r#""document":"token: @ ""#,
        r#""handle":"@""#,
        r#""handle":{"deep":["@"]}"#,
    ] {
        let fields = fields.replace('@', "token-of-a-test");
        let text = format!("echo '{{\"outcome\":\"ok\",{fields}}}'");
        let said = unknown(
            issuer(knowing("token-of-a-test", &text))
                .issue(&order(1))
                .await,
        );
        assert_eq!(
            said,
            "the answer to issue repeats a secret that the config gives; it was thrown away"
        );
        // Nobody else's secret is known.
        let given = issuer(knowing("another-of-a-test", &text))
            .issue(&order(1))
            .await;
        assert!(given.is_ok(), "{given:?}");
    }
    let text = "echo '{\"outcome\":\"ok\",\"presence\":\"token-of-a-test\"}'";
    let said = unknown(
        issuer(knowing("token-of-a-test", text))
            .inspect(&order(1))
            .await,
    );
    assert!(said.contains("repeats a secret"), "{said}");
}

/// An issuer whose config says that it makes secrets.
fn making(text: &str) -> Contracted<Program> {
    let mut settings = settings();
    settings.capabilities.makes_secret = true;
    Contracted::new(settings, script(text), clock())
}

#[tokio::test]
async fn a_secret_is_handed_on_as_it_is() {
    let given = making(
        r#"printf '%s' '{"outcome":"ok","message":"Log in.","secret":"-----BEGIN\n two lines é\n"}'"#,
    )
    .issue(&order(1))
    .await
    .unwrap();
    let secret = given.secret.clone().unwrap();
    assert_eq!(secret.reveal(), "-----BEGIN\n two lines é\n");
    assert!(!format!("{given:?}").contains("two lines"));
}

#[tokio::test]
async fn what_can_t_be_handed_over_or_would_be_kept_is_refused_and_not_repeated() {
    for (fields, why) in [
        (r#""message":"no secret""#, "holds no secret"),
        (r#""secret":null"#, "holds no secret"),
        (r#""secret":["hunter2-hunter2"]"#, "that is no text"),
        (r#""secret":"hunter2""#, "shorter than 8 bytes"),
        (r#""secret":"         ""#, "can't be handed over"),
        (
            r#""secret":"hunter2-\u202ehunter2""#,
            "a message can't show",
        ),
        (
            r#""secret":"hunter2-\u0007hunter2""#,
            "a message can't show",
        ),
        (
            r#""secret":"hunter2-hunter2","message":"type hunter2-hunter2""#,
            "repeats its secret",
        ),
        (
            r#""secret":"hunter2-hunter2","handle":{"a":["hunter2-hunter2"]}"#,
            "repeats its secret",
        ),
        (
            r#""secret":"hunter2-hunter2","document":"x hunter2-hunter2""#,
            "repeats its secret",
        ),
    ] {
        let text = format!("cat <<'E'\n{{\"outcome\":\"ok\",{fields}}}\nE");
        let said = unknown(making(&text).issue(&order(1)).await);
        assert!(
            said.contains(why) && !said.contains("hunter2"),
            "{fields}: {said}"
        );
    }
    let long = "k".repeat(2_701);
    let text = format!("echo '{{\"outcome\":\"ok\",\"secret\":\"{long}\"}}'");
    let said = unknown(making(&text).issue(&order(1)).await);
    assert!(said.contains("longer than 2700"), "{said}");
}

/// Whatever the outcome is.
#[tokio::test]
async fn a_complaint_does_not_repeat_the_secret_beside_it() {
    for outcome in ["retry", "permanent", "unknown"] {
        let text = format!(
            r#"echo '{{"outcome":"{outcome}","secret":"hunter2-hunter2","message":"not hunter2-hunter2"}}'"#
        );
        let said = making(&text)
            .issue(&order(1))
            .await
            .unwrap_err()
            .to_string();
        assert!(said.ends_with("not [secret]"), "{said}");
    }
}

/// It would go to a person instead of to the target.
#[tokio::test]
async fn a_secret_of_the_config_is_not_handed_out() {
    let mut settings = settings();
    settings.capabilities.makes_secret = true;
    let program = knowing(
        "token-of-a-test",
        r#"echo "{\"outcome\":\"ok\",\"secret\":\"a $API_TOKEN\"}""#,
    );
    let said = unknown(
        Contracted::new(settings, program, clock())
            .issue(&order(1))
            .await,
    );
    assert!(said.contains("hands out a secret"), "{said}");
}

/// What a script that makes a secret says on stderr may be the secret, which nobody knows yet.
#[tokio::test]
async fn a_program_that_makes_secrets_is_not_quoted() {
    for (ends, wanted) in [
        (1, "the program ended with status 1"),
        (75, "the program asks to be called again"),
    ] {
        let text = format!("echo '+ pw=hunter2-hunter2' >&2; exit {ends}");
        let said = making(&text)
            .issue(&order(1))
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(said, wanted);
        let said = making(&text).revoke(&order(1), None).await.unwrap_err();
        assert!(said.to_string().contains("pw="), "{said}: it made none");
    }
}

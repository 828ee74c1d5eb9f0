//! `until 18:00`: in whose zone, on which day, over the nights on which clocks change.

use chrono::NaiveTime;
use jitbot::domain::command::WantedEnd;
use jitbot::domain::directory::{AccountStatus, KnownAccount};
use jitbot::domain::refusal::Refusal;
use jitbot::policy::evaluate;

use crate::house::{account, compare, house_with, instant, now, told};

/// Who asks, in the resource's zone, at which instant, until what: the instant and the seconds.
type Row = (
    &'static str,
    Option<chrono_tz::Tz>,
    &'static str,
    &'static str,
    &'static str,
);

fn judge(rows: &[Row]) {
    compare(rows.iter().map(|&(who, zone, now, time, expected)| {
        let policy = house_with(|resource| {
            resource.max_s = 48 * 3_600;
            resource.time_zone = zone;
        });
        let end = WantedEnd::Until(NaiveTime::parse_from_str(time, "%H:%M").unwrap());
        let identity = policy.identify(&account(who));
        let got = match evaluate::submission(&policy, &identity, "staging-ssh", end, instant(now)) {
            Ok(allowed) => format!(
                "{} {}",
                allowed.spec.until.unwrap().format("%d %H:%MZ"),
                allowed.spec.duration_s
            ),
            Err(refusal) => told(&refusal),
        };
        (
            format!("{who} at {now} until {time}, {zone:?}"),
            expected.to_owned(),
            got,
        )
    }));
}

#[test]
fn a_time_of_day_is_read_in_the_persons_zone_then_in_the_resources() {
    let (kolkata, none) = (Some(chrono_tz::Asia::Kolkata), None);
    judge(&[
        (
            "U1",
            none,
            "2026-03-10T12:00:00Z",
            "18:00",
            "10 17:00Z 18000",
        ),
        (
            "U1",
            kolkata,
            "2026-03-10T12:00:00Z",
            "18:00",
            "10 17:00Z 18000",
        ),
        (
            "D1",
            kolkata,
            "2026-03-10T12:00:00Z",
            "18:00",
            "10 17:00Z 18000",
        ),
        (
            "U2",
            kolkata,
            "2026-03-10T12:00:00Z",
            "18:00",
            "10 12:30Z 1800",
        ),
        (
            "U2",
            none,
            "2026-03-10T12:00:00Z",
            "18:00",
            "10 18:00Z 21600",
        ),
    ]);
}

#[test]
fn a_time_of_day_that_has_passed_is_tomorrows() {
    let none = None;
    judge(&[
        ("U2", none, "2026-03-10T12:00:00Z", "12:01", "10 12:01Z 60"),
        (
            "U2",
            none,
            "2026-03-10T12:00:00Z",
            "12:00",
            "11 12:00Z 86400",
        ),
        (
            "U2",
            none,
            "2026-03-10T12:00:00Z",
            "11:59",
            "11 11:59Z 86340",
        ),
        (
            "U2",
            none,
            "2026-12-31T23:30:00Z",
            "00:15",
            "01 00:15Z 2700",
        ),
        // In Berlin it is the next day already.
        ("U1", none, "2026-03-10T23:30:00Z", "00:45", "10 23:45Z 900"),
        (
            "U1",
            none,
            "2026-03-10T23:30:00Z",
            "00:15",
            "11 23:15Z 85500",
        ),
        // Nothing that can be given is left of a minute that is as good as over.
        (
            "U2",
            none,
            "2026-03-10T12:00:59.500Z",
            "12:01",
            "too_short < 1",
        ),
    ]);
}

#[test]
fn a_night_on_which_clocks_change_is_counted_in_elapsed_time() {
    let none = None;
    judge(&[
        // 21:00 to 06:00: nine hours on the clock, eight of them real in spring, ten in autumn.
        (
            "U1",
            none,
            "2026-03-28T20:00:00Z",
            "06:00",
            "29 04:00Z 28800",
        ),
        (
            "U1",
            none,
            "2026-10-24T19:00:00Z",
            "06:00",
            "25 05:00Z 36000",
        ),
        // Spring skips 02:30: the clock shows it again the day after.
        (
            "U1",
            none,
            "2026-03-28T23:00:00Z",
            "02:30",
            "30 00:30Z 91800",
        ),
        // Autumn has 02:30 twice: the first, and after that the second.
        (
            "U1",
            none,
            "2026-10-24T22:00:00Z",
            "02:30",
            "25 00:30Z 9000",
        ),
        (
            "U1",
            none,
            "2026-10-25T00:30:00Z",
            "02:30",
            "25 01:30Z 3600",
        ),
        (
            "U1",
            none,
            "2026-10-25T00:45:00Z",
            "02:30",
            "25 01:30Z 2700",
        ),
        (
            "U1",
            none,
            "2026-10-25T01:30:00Z",
            "02:30",
            "26 01:30Z 86400",
        ),
    ]);
}

#[test]
fn a_time_that_spring_skips_tomorrow_is_the_day_afters() {
    judge(&[(
        "U1",
        None,
        "2026-03-28T02:00:00Z",
        "02:30",
        "30 00:30Z 167400",
    )]);
}

#[test]
fn the_zone_that_somebody_set_in_chat_goes_before_the_resources_and_is_waited_for() {
    let zones = [chrono_tz::Pacific::Honolulu, chrono_tz::Asia::Kolkata];
    let [in_chat, of_resource] = zones.map(Some);
    let until = |who: &str, known: Option<Option<chrono_tz::Tz>>| {
        let mut policy = house_with(|resource| {
            resource.max_s = 48 * 3_600;
            resource.time_zone = of_resource;
        });
        policy.directories.platforms.insert("slack".into());
        if let Some(time_zone) = known {
            let seen = KnownAccount {
                status: AccountStatus::Member,
                time_zone,
                as_of: now(),
            };
            policy.known.accounts.insert(account(who), seen);
        }
        let end = WantedEnd::Until(NaiveTime::from_hms_opt(18, 0, 0).unwrap());
        let identity = policy.identify(&account(who));
        evaluate::wish(&policy, &identity, "staging-ssh", end, now())
            .map(|(spec, _)| format!("{}", spec.until.unwrap().format("%H:%MZ")))
    };
    assert_eq!(until("U2", Some(in_chat)).unwrap(), "04:00Z");
    assert_eq!(until("U2", Some(None)).unwrap(), "12:30Z", "it told none");
    // Alice's stands in the config, so nobody needs to be asked.
    let alices = until("U1", None).unwrap();
    assert!(["16:00Z", "17:00Z"].contains(&alices.as_str()), "{alices}");
    assert_eq!(until("U1", Some(in_chat)).unwrap(), alices);
    assert_eq!(until("U2", None), Err(Refusal::ZoneNotKnown));
    assert!(Refusal::ZoneNotKnown.lacks_facts());
}

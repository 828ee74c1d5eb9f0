//! How many requests an address may make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

/// The length of a window, in seconds.
const WINDOW_S: i64 = 60;

/// How many addresses are remembered in one window. Beyond, those that are not remembered share
/// one count, so that a flood from many addresses costs no memory.
const ADDRESSES_MAX: usize = 10_000;

/// Counts requests of each address in windows of a minute.
#[derive(Debug)]
pub struct Rate {
    per_minute: u32,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    window: i64,
    of: HashMap<IpAddr, u32>,
    of_the_rest: u32,
}

impl Rate {
    /// Allows so many requests a minute to each address.
    #[must_use]
    pub fn per_minute(per_minute: u32) -> Self {
        Self {
            per_minute,
            counts: Mutex::default(),
        }
    }

    /// Counts a request; false when it is one too many.
    pub fn count(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let window = now.timestamp().div_euclid(WINDOW_S);
        if counts.window != window {
            *counts = Counts {
                window,
                ..Counts::default()
            };
        }
        let counts = &mut *counts;
        let known = counts.of.len() < ADDRESSES_MAX || counts.of.contains_key(&address);
        let count = if known {
            counts.of.entry(address).or_default()
        } else {
            &mut counts.of_the_rest
        };
        *count = count.saturating_add(1);
        *count <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(s: i64) -> Timestamp {
        DateTime::from_timestamp(s, 0).unwrap()
    }

    #[test]
    fn each_address_has_its_own_count_and_a_new_minute_starts_anew() {
        let rate = Rate::per_minute(2);
        let (a, b) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
        assert!(rate.count(a, at(0)) && rate.count(a, at(59)));
        assert!(!rate.count(a, at(59)));
        assert!(rate.count(b, at(59)));
        assert!(rate.count(a, at(60)));
    }

    #[test]
    fn a_flood_of_addresses_shares_one_count() {
        let rate = Rate::per_minute(3);
        for i in 0..10_000_u32 {
            assert!(rate.count(IpAddr::from(i.to_be_bytes()), at(0)));
        }
        let later = |i: u8| rate.count([200, 0, 0, i].into(), at(0));
        assert!(later(1) && later(2) && later(3));
        assert!(!later(4));
        assert_eq!(rate.counts.lock().unwrap().of.len(), 10_000);
    }
}

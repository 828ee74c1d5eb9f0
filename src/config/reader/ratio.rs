//! Numbers that are a part of one.

use super::Item;

impl Item<'_> {
    /// A number from 0 to 1.
    pub(in crate::config) fn ratio(&self) -> Option<f64> {
        let written = self.value.as_float().map(toml::de::DeFloat::as_str);
        let written = written.or_else(|| Some(self.value.as_integer()?.as_str()));
        let Some(written) = written else {
            self.wrong_type("a number");
            return None;
        };
        let number = written.parse().ok().filter(|it| (0.0..=1.0).contains(it));
        if number.is_none() {
            self.problem(
                format!("{written} is out of range"),
                "It may be 0.0 to 1.0.",
            );
        }
        number
    }
}

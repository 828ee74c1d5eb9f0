//! Prometheus' text format 0.0.4, read strictly: what a scrape would refuse, or a linter complain of,
//! is a problem here.

use std::collections::{BTreeMap, BTreeSet};

/// What was read.
pub struct Exposition {
    pub text: String,
    series: BTreeMap<String, f64>,
}

impl Exposition {
    pub fn read(text: &str) -> Result<Self, String> {
        let mut types: BTreeMap<String, String> = BTreeMap::new();
        let mut helps = BTreeSet::new();
        let mut series = BTreeMap::new();
        let mut done: BTreeSet<String> = BTreeSet::new();
        let mut now = String::new();
        if !text.ends_with('\n') {
            return Err("the last line has no end".into());
        }
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or(line)?;
                if help.trim().is_empty() || !helps.insert(name.to_owned()) {
                    return Err(format!("a second or an empty help: {line}"));
                }
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or(line)?;
                if !["counter", "gauge", "histogram"].contains(&kind) {
                    return Err(format!("an unknown type: {line}"));
                }
                if types.insert(name.to_owned(), kind.to_owned()).is_some() {
                    return Err(format!("a second type: {line}"));
                }
                if (kind == "counter") != name.ends_with("_total") {
                    return Err(format!("counters end in _total, and nothing else: {line}"));
                }
                continue;
            }
            if line.starts_with('#') || line.is_empty() {
                return Err(format!("neither help, type nor a sample: {line:?}"));
            }
            let (name, value) = sample(line)?;
            let base = name.split('{').next().unwrap_or_default().to_owned();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .filter_map(|end| base.strip_suffix(end))
                .find(|family| types.get(*family).is_some_and(|kind| kind == "histogram"))
                .unwrap_or(&base)
                .to_owned();
            if !types.contains_key(&family) || !helps.contains(&family) {
                return Err(format!("a sample before its type and help: {line}"));
            }
            // All samples of a family stand together.
            if family != now {
                if !done.insert(family.clone()) {
                    return Err(format!("a family in two places: {line}"));
                }
                now = family;
            }
            if series.insert(name, value).is_some() {
                return Err(format!("a series twice: {line}"));
            }
        }
        let whole = Self {
            text: text.to_owned(),
            series,
        };
        whole.histograms_add_up()?;
        Ok(whole)
    }

    /// The value of a series, named with its labels as it is written.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// The sum over all labels.
    pub fn of(&self, name: &str) -> f64 {
        let labelled = format!("{name}{{");
        let of = |series: &String| series == name || series.starts_with(&labelled);
        self.series
            .iter()
            .filter(|(series, _)| of(series))
            .map(|(_, value)| value)
            .sum()
    }

    /// Buckets grow, and the last one is the count.
    fn histograms_add_up(&self) -> Result<(), String> {
        for (series, all) in self
            .series
            .iter()
            .filter(|(s, _)| s.contains("le=\"+Inf\""))
        {
            let count = series
                .replacen("_bucket{", "_count{", 1)
                .replace(",le=\"+Inf\"", "")
                .replace("le=\"+Inf\",", "")
                .replace("{le=\"+Inf\"}", "");
            if self.value(&count) != Some(*all) {
                return Err(format!(
                    "{series} is {all}, {count} {:?}",
                    self.value(&count)
                ));
            }
        }
        Ok(())
    }
}

/// A name with its labels, and a value.
fn sample(line: &str) -> Result<(String, f64), String> {
    let (name, value) = line.rsplit_once(' ').ok_or(line)?;
    let value = value.parse().map_err(|_| format!("no number: {line}"))?;
    let (base, labels) = match name.split_once('{') {
        Some((base, rest)) => (base, rest.strip_suffix('}').ok_or(line)?),
        None => (name, ""),
    };
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !is_name(base) {
        return Err(format!("not a name: {line}"));
    }
    let mut seen = BTreeSet::new();
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (key, value) = label.split_once("=\"").ok_or(line)?;
        let value = value.trim_end_matches('"');
        if !is_name(key) || !seen.insert(key) || value.contains(['"', '\\']) || value.is_empty() {
            return Err(format!("odd labels: {line}"));
        }
    }
    Ok((name.to_owned(), value))
}

#[test]
fn what_a_scrape_would_refuse_is_refused() {
    let good = "# HELP a_total What.\n# TYPE a_total counter\na_total 1\n";
    assert!(Exposition::read(good).is_ok());
    for bad in [
        "a_total 1\n",
        "# HELP a What.\n# TYPE a counter\na 1\n",
        "# HELP a_total What.\n# TYPE a_total counter\na_total 1\na_total 2\n",
        "# HELP a_total What.\n# TYPE a_total counter\na_total one\n",
        "# HELP a_total What.\n# TYPE a_total counter\na_total{b=\"c\",b=\"d\"} 1\n",
        "# HELP a_total What.\n# TYPE a_total counter\na_total 1",
        "# HELP h What.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 1\n",
    ] {
        assert!(Exposition::read(bad).is_err(), "{bad}");
    }
}

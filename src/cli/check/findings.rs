//! What a check found, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::config::Problem;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It does not work.
    Problem,
    /// It works, and is hardly meant.
    Warning,
}

/// Where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// In the file itself.
    Config,
    /// At Slack.
    Slack,
    /// At an issuer.
    Issuers,
    /// In the database.
    Store,
}

impl Area {
    const ALL: [Self; 4] = [Self::Config, Self::Slack, Self::Issuers, Self::Store];

    const fn title(self) -> &'static str {
        match self {
            Self::Config => "Config",
            Self::Slack => "Slack",
            Self::Issuers => "Issuers",
            Self::Store => "Database",
        }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    found: Vec<(Area, Severity, Problem)>,
    /// What could not be asked, and why.
    not_asked: Vec<(Area, String)>,
    /// What was asked, in words, where all of it is right.
    pub right: String,
    /// The policy's hash, where there is a policy.
    pub policy: Option<String>,
    /// Whether nobody outside this machine was to be asked.
    pub offline: bool,
}

impl Findings {
    /// None yet.
    #[must_use]
    pub fn new(offline: bool) -> Self {
        Self {
            offline,
            ..Self::default()
        }
    }

    /// Adds a problem.
    pub fn problem(&mut self, area: Area, problem: Problem) {
        self.found.push((area, Severity::Problem, problem));
    }

    /// Adds a warning.
    pub fn warning(&mut self, area: Area, problem: Problem) {
        self.found.push((area, Severity::Warning, problem));
    }

    /// Adds that something could not be asked.
    pub fn not_asked(&mut self, area: Area, why: String) {
        if !self.not_asked.contains(&(area, why.clone())) {
            self.not_asked.push((area, why));
        }
    }

    /// How many are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|(_, s, _)| *s == severity).count()
    }

    /// 0 right, 1 wrong, 3 not all could be asked.
    #[must_use]
    pub fn code(&self, strict: bool) -> u8 {
        if self.count(Severity::Problem) > 0 {
            1
        } else if !self.not_asked.is_empty() {
            3
        } else {
            u8::from(strict && self.count(Severity::Warning) > 0)
        }
    }

    /// For people: by where it was found, worst first.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for area in Area::ALL {
            let mut lines = Vec::new();
            for severity in [Severity::Problem, Severity::Warning] {
                let word = match severity {
                    Severity::Problem => "problem",
                    Severity::Warning => "warning",
                };
                let here = self
                    .found
                    .iter()
                    .filter(|(a, s, _)| *a == area && *s == severity);
                lines.extend(here.map(|(_, _, problem)| format!("{word}: {problem}")));
            }
            let silent = self.not_asked.iter().filter(|(a, _)| *a == area);
            lines.extend(silent.map(|(_, why)| format!("not asked: {why}")));
            if !lines.is_empty() {
                let _ = writeln!(text, "{}", area.title());
                for line in lines {
                    let _ = writeln!(text, "  {line}");
                }
            }
        }
        let (problems, warnings) = (self.count(Severity::Problem), self.count(Severity::Warning));
        let counts = format!(
            "{}, {}",
            counted(problems, "problem"),
            counted(warnings, "warning")
        );
        let last = if problems > 0 {
            counts
        } else if !self.not_asked.is_empty() {
            format!("{counts}; not everything could be asked")
        } else if warnings > 0 {
            format!("ok: {}; {}", self.right, counted(warnings, "warning"))
        } else {
            format!("ok: {}", self.right)
        };
        text + &last
    }

    /// For programs.
    #[must_use]
    pub fn json(&self, strict: bool) -> String {
        let found: Vec<serde_json::Value> = self
            .found
            .iter()
            .map(|(area, severity, problem)| {
                serde_json::json!({
                    "area": area,
                    "severity": severity,
                    "file": problem.file,
                    "line": (problem.line > 0).then_some(problem.line),
                    "key": (!problem.key.is_empty()).then_some(&problem.key),
                    "what": problem.what,
                    "hint": problem.hint,
                })
            })
            .collect();
        let not_asked: Vec<serde_json::Value> = self
            .not_asked
            .iter()
            .map(|(area, why)| serde_json::json!({"area": area, "why": why}))
            .collect();
        serde_json::json!({
            "exit": self.code(strict),
            "offline": self.offline,
            "policy": self.policy,
            "findings": found,
            "not_asked": not_asked,
        })
        .to_string()
    }
}

/// A count with its noun.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

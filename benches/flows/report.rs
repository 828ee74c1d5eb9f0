//! What was measured, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::bots::Bot;
use super::live::LiveMeasured;
use super::machine::Machine;
use super::tally::{Spread, Step};
use super::trial::Measured;

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// Seconds that access was held.
    pub hold_s: u32,
    /// Seconds during which flows began, in each step.
    pub step_s: f64,
    /// Each bot.
    pub bots: Vec<Measured>,
    /// jitbot beside many live grants.
    pub live: Option<LiveMeasured>,
}

impl Report {
    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = self.shape();
        if !self.bots.is_empty() {
            text += &self.beside_each_other();
        }
        if let Some(live) = &self.live {
            text += &live.markdown();
        }
        text
    }

    fn beside_each_other(&self) -> String {
        let mut text = "\n| | ".to_owned();
        text += &self.line(|it| format!("{} | ", it.bot.name()));
        text += "\n|---|";
        text += &self.line(|_| "---:|".to_owned());
        for (label, value) in WHOLE {
            let _ = write!(text, "\n| {label} | ");
            text += &self.line(|it| format!("{} | ", value(it)));
        }
        text += "\n\n| flows/s | bot | ended/s | answer p50 | p99 | lag of the end p50 | p99 | CPU ms a flow | failed |";
        text += "\n|---:|---|---:|---:|---:|---:|---:|---:|---|\n";
        for rate in self.rates() {
            for bot in &self.bots {
                if let Some(step) = bot.steps.iter().find(|step| step.rate == rate) {
                    text += &row(bot.bot, step);
                }
            }
        }
        text += &self.ratios();
        text
    }

    fn shape(&self) -> String {
        let machine = &self.machine;
        let sync = machine.fdatasync.map_or_else(String::new, |sync| {
            format!(
                "; `fdatasync` of a page {:.2} ms (p99 {:.2} ms)",
                sync.p50_ms, sync.p99_ms
            )
        });
        format!(
            "{} cores of {}, {:.0} GiB, Linux {}{sync}; load before {}. {}, Node {}, commit {}. Access held {} s, {} s of arrivals a step.\n",
            machine.cores,
            machine.cpu,
            machine.memory_gib,
            machine.kernel,
            machine.load_before,
            machine.rustc,
            machine.node,
            machine.commit,
            self.hold_s,
            self.step_s,
        )
    }

    fn line(&self, value: impl Fn(&Measured) -> String) -> String {
        self.bots.iter().map(value).collect()
    }

    fn rates(&self) -> Vec<u32> {
        let steps = self.bots.iter().flat_map(|bot| &bot.steps);
        let mut rates: Vec<u32> = steps.map(|step| step.rate).collect();
        rates.sort_unstable();
        rates.dedup();
        rates
    }

    /// How many times as much the other bots need.
    fn ratios(&self) -> String {
        let Some(ours) = self.bots.iter().find(|it| it.bot == Bot::Jitbot) else {
            return String::new();
        };
        let mut text = String::new();
        for other in self.bots.iter().filter(|it| it.bot != Bot::Jitbot) {
            let cpu: Vec<String> = ours
                .steps
                .iter()
                .filter_map(|step| {
                    let theirs = other.steps.iter().find(|it| it.rate == step.rate)?;
                    let ratio = theirs.cpu_ms_per_flow? / step.cpu_ms_per_flow?;
                    Some(format!("{ratio:.1} at {}/s", step.rate))
                })
                .collect();
            let _ = writeln!(
                text,
                "\nThe {} needs so many times as much: idle memory {:.1}, most memory {:.1}, CPU a flow {}.",
                other.bot.name(),
                other.idle.resident_mib / ours.idle.resident_mib,
                other.end.peak_mib / ours.end.peak_mib,
                cpu.join(", "),
            );
        }
        text
    }
}

type Of = fn(&Measured) -> String;

/// What is said once for each bot.
const WHOLE: [(&str, Of); 6] = [
    ("until `/readyz` says 200", |it| {
        it.readyz_ms
            .map_or_else(|| "has none".to_owned(), |ms| format!("{ms:.0} ms"))
    }),
    ("until a command reaches it", |it| {
        format!("{:.0} ms", it.listening_ms)
    }),
    ("memory, idle", |it| {
        format!("{:.1} MiB", it.idle.resident_mib)
    }),
    ("memory, most", |it| format!("{:.1} MiB", it.end.peak_mib)),
    ("CPU, idle", |it| {
        format!("{:.1} ms/s", it.idle_cpu_ms_per_s)
    }),
    ("database at the end", |it| {
        format!("{:.1} MiB", it.database_mib)
    }),
];

fn row(bot: Bot, step: &Step) -> String {
    let ms = |spread: Option<Spread>, pick: fn(Spread) -> f64| {
        spread.map_or_else(|| "–".to_owned(), |it| format!("{:.1} ms", pick(it)))
    };
    format!(
        "| {} | {} | {:.1} | {} | {} | {} | {} | {} | {} |\n",
        step.rate,
        bot.name(),
        step.done_per_s,
        ms(step.answer, |it| it.p50_ms),
        ms(step.answer, |it| it.p99_ms),
        ms(step.lag, |it| it.p50_ms),
        ms(step.lag, |it| it.p99_ms),
        step.cpu_ms_per_flow
            .map_or_else(|| "–".to_owned(), |cpu| format!("{cpu:.2}")),
        failures(step),
    )
}

/// `0 of 150`, or how many of which kind.
pub(super) fn failures(step: &Step) -> String {
    let kinds: Vec<String> = step
        .failures
        .iter()
        .map(|(kind, n)| {
            let name = serde_json::to_value(kind).unwrap_or_default();
            format!(
                "{n} {}",
                name.as_str().unwrap_or_default().replace('_', " ")
            )
        })
        .collect();
    let all = format!("{} of {}", step.failed(), step.asked);
    if kinds.is_empty() {
        all
    } else {
        format!("**{all}**: {}", kinds.join(", "))
    }
}

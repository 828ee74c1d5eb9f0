//! What was measured beside many live grants, for people.

use std::fmt::Write as _;

use super::live::LiveMeasured;
use super::live_ends::Ends;
use super::tally::Spread;

impl LiveMeasured {
    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Ends { due: overdue, .. } = self.overdue;
        let mut text = format!(
            "\n{} live grants, of which {} ended within {:.0} s; then {overdue} more that were overdue at the next start. Filling in took {:.0} s and {:.0} s, {:.0} MiB.\n\n| many live grants | | goal |\n|---|---:|---|\n",
            self.live,
            self.window.due,
            self.window_s,
            self.filled_s,
            self.overdue_filled_s,
            self.database_mib,
        );
        for (label, value, goal) in self.rows() {
            let _ = writeln!(text, "| {label} | {value} | {goal} |");
        }
        let _ = writeln!(text, "\nThe record afterwards: {}", self.record);
        text
    }

    fn rows(&self) -> Vec<(String, String, &'static str)> {
        let row = |label: &str, value: String, goal| (label.to_owned(), value, goal);
        let late = if self.too_late_ms > 0.0 {
            format!(" (**{:.0} ms after the window began**)", self.too_late_ms)
        } else {
            String::new()
        };
        let books = self.books;
        let mut rows = vec![
            row(
                "until `/readyz` says 200",
                format!("{:.0} ms{late}", self.readyz_ms),
                "under 2,000 ms",
            ),
            row(
                "memory, idle",
                format!("{:.1} MiB", self.idle.resident_mib),
                "",
            ),
            row(
                "memory, most",
                format!("{:.1} MiB", self.peak_mib),
                "under 200 MB",
            ),
            row(
                "CPU, idle",
                format!("{:.1} ms/s", self.idle_cpu_ms_per_s),
                "",
            ),
        ];
        rows.extend(of_ends("in the window", &self.window));
        rows.push(row(
            "lag of the end p50 / p99 / most, in the window",
            three(self.window.lag),
            "p99 under 1,000 ms",
        ));
        rows.push(row(
            "until `/readyz` says 200, with the overdue",
            format!("{:.0} ms", self.overdue_readyz_ms),
            "",
        ));
        rows.extend(of_ends("overdue", &self.overdue));
        rows.push(row(
            "overdue ones worked off",
            format!(
                "{:.1} s, {:.0} a second",
                self.overdue.took_s, self.overdue.per_s
            ),
            "",
        ));
        let flows = &self.flows;
        rows.extend([
            row(
                &format!("flows meanwhile, at {}/s: failed", flows.rate),
                super::report::failures(flows),
                "none",
            ),
            row(
                "their answer p50 / p99 / most",
                three(flows.answer),
                "p99 under 50 ms",
            ),
            row(
                "press until access was given p50 / p99 / most",
                three(flows.given_after),
                "",
            ),
            row("ended though not due", self.too_soon.to_string(), "none"),
            row(
                "by the books: live of those not due / not over of those due",
                format!("{} of {} / {}", books.live, books.not_due, books.not_over),
                "all / none",
            ),
        ]);
        rows
    }
}

fn of_ends(which: &str, ends: &Ends) -> Vec<(String, String, &'static str)> {
    let mut counts = format!("{} of {}", ends.ended, ends.due);
    if ends.forgotten() > 0 {
        counts = format!("**{counts}**");
    }
    vec![
        (format!("ends confirmed, {which}"), counts, "all"),
        (
            format!("early / over a second out of order, {which}"),
            format!("{} / {}", ends.early, ends.out_of_order),
            "none",
        ),
    ]
}

fn three(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "–".to_owned(),
        |it| format!("{:.0} / {:.0} / {:.0} ms", it.p50_ms, it.p99_ms, it.max_ms),
    )
}

//! What can be asked for: `[resource.NAME]`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::grant::read_grant;
use super::issuer::IssuerConfig;
use super::people::named;
use super::problem::{nearest, quoted};
use super::reader::{DURATION_HINT, Item, Table};
use super::sections::{PLACE_HINT, places};
use super::subject::{self, Names};
use crate::domain::duration;
use crate::domain::ids::{IssuerName, ResourceName};
use crate::domain::spec::Risk;
use crate::policy::model::{Approval, AutoApproval, Subject};

pub(super) const RESOURCE_KEYS: &[&str] = &[
    "title",
    "project",
    "action",
    "risk",
    "issuer",
    "target",
    "grant",
    "duration",
    "request",
    "never",
    "approve",
    "auto_approve",
    "channels",
    "pending_for",
    "activation",
    "remind",
    "facts_fresh_for",
    "time_zone",
];
pub(super) const DURATION_KEYS: &[&str] = &["default", "max"];
pub(super) const APPROVE_KEYS: &[&str] = &["from", "count"];
pub(super) const AUTO_APPROVE_KEYS: &[&str] = &["from", "max", "cool_down"];

const TITLE_MAX_CHARS: usize = 100;
const WORD_MAX_CHARS: usize = 60;
const TARGET_MAX_CHARS: usize = 80;
const APPROVALS_MAX: i64 = 5;
const PENDING_FOR_DEFAULT_S: i64 = 3_600;
const COOL_DOWN_DEFAULT_S: i64 = 3_600;
const ACTIVATION_DEFAULT_S: i64 = 600;

/// Something that can be asked for, as written; channels are still names.
#[derive(Debug, Clone)]
pub struct ResourceConfig {
    /// For people.
    pub title: String,
    /// Project.
    pub project: String,
    /// Action.
    pub action: String,
    /// Risk.
    pub risk: Risk,
    /// The issuer instance that gives it.
    pub issuer: IssuerName,
    /// Where, in words for people.
    pub target: String,
    /// The issuer's parameters.
    pub grant: Map<String, Value>,
    /// Seconds when none are asked for.
    pub default_s: i64,
    /// Longest duration, in seconds.
    pub max_s: i64,
    /// Who may ask.
    pub request: Vec<Subject>,
    /// Who never may.
    pub never: Vec<Subject>,
    /// Who approves.
    pub approve: Approval,
    /// Rules that approve without people.
    pub auto_approve: Vec<AutoApproval>,
    /// Names of places for the card; the first one gets it.
    pub channels: Vec<String>,
    /// Seconds that a request waits for people.
    pub pending_for_s: i64,
    /// Seconds after the approval within which access must have been given.
    pub activation_s: i64,
    /// Seconds before the end at which the beneficiary is reminded, longest first.
    pub remind_s: Vec<i64>,
    /// Seconds for which facts about people and groups hold; none: as `[directory]` says.
    pub facts_fresh_for_s: Option<i64>,
    /// Zone for people without one.
    pub time_zone: Option<chrono_tz::Tz>,
}

/// Reads all resources.
pub(super) fn resources(
    root: &Table<'_>,
    names: &Names,
    issuers: &BTreeMap<IssuerName, IssuerConfig>,
) -> BTreeMap<ResourceName, ResourceConfig> {
    let mut resources = BTreeMap::new();
    for (text, item) in named(root, "resource") {
        let name = match ResourceName::new(text) {
            Ok(name) => Some(name),
            Err(e) => {
                item.problem(e.to_string(), "");
                None
            }
        };
        let resource = item
            .table(RESOURCE_KEYS, &[])
            .and_then(|table| read(&table, root, names, issuers));
        if let (Some(name), Some(resource)) = (name, resource) {
            resources.insert(name, resource);
        }
    }
    resources
}

fn read(
    table: &Table<'_>,
    root: &Table<'_>,
    names: &Names,
    issuers: &BTreeMap<IssuerName, IssuerConfig>,
) -> Option<ResourceConfig> {
    // Every part is read before the first `?`, so that all problems are said at once.
    let label =
        |key: &str, max: usize, hint: &str| table.need(key, hint).and_then(|item| item.label(max));
    let title = label(
        "title",
        TITLE_MAX_CHARS,
        "Say in a few words what it is, for people.",
    );
    let project = label(
        "project",
        WORD_MAX_CHARS,
        "Name the project that it belongs to.",
    );
    let action = label(
        "action",
        WORD_MAX_CHARS,
        "Name what it allows, like \"shell\".",
    );
    let risk = table
        .need("risk", "Write low, medium, high or critical.")
        .and_then(|item| read_risk(&item));
    let issuer = table
        .need("issuer", "Name the issuer that gives it.")
        .and_then(|item| read_issuer(&item, names, issuers));
    let target = table.get("target").map(|item| item.label(TARGET_MAX_CHARS));
    let grant = read_grant(table, root);
    let durations = table
        .need(
            "duration",
            "Write it like { default = \"1h\", max = \"8h\" }.",
        )
        .and_then(|item| read_durations(&item));
    let request = table
        .need("request", "Name who may ask, like [\"group:engineering\"].")
        .and_then(|item| subject::read_all(&item, names));
    let never = match table.get("never") {
        Some(item) => subject::read_all(&item, names),
        None => Some(Vec::new()),
    };
    let approve = table
        .need(
            "approve",
            "Name who approves, like [{ from = [\"group:sre\"], count = 1 }].",
        )
        .and_then(|item| read_approve(&item, names));
    let max_s = durations.map(|(_, max_s)| max_s);
    let auto_approve = match table.get("auto_approve") {
        Some(item) => read_auto_approve(&item, names, risk, max_s),
        None => Some(Vec::new()),
    };
    let channels = table
        .need("channels", PLACE_HINT)
        .and_then(|item| places(&item));
    let seconds = |key: &str, default: i64| match table.get(key) {
        Some(item) => item.duration(),
        None => Some(default),
    };
    let pending_for_s = seconds("pending_for", PENDING_FOR_DEFAULT_S);
    let activation_s = seconds("activation", ACTIVATION_DEFAULT_S);
    let facts_fresh_for_s = table.get("facts_fresh_for").map(|item| item.duration());
    let remind_s = match table.get("remind") {
        Some(item) => read_remind(&item, max_s),
        None => Some(Vec::new()),
    };
    let time_zone = match table.get("time_zone") {
        Some(item) => item.time_zone().map(Some),
        None => Some(None),
    };
    let issuer = issuer?;
    let target = match target {
        Some(target) => target?,
        None => issuers
            .get(&issuer)
            .map_or_else(|| issuer.to_string(), |found| found.target().to_owned()),
    };
    let (default_s, max_s) = durations?;
    Some(ResourceConfig {
        title: title?,
        project: project?,
        action: action?,
        risk: risk?,
        issuer,
        target,
        grant: grant?,
        default_s,
        max_s,
        request: request?,
        never: never?,
        approve: approve?,
        auto_approve: auto_approve?,
        channels: channels?,
        pending_for_s: pending_for_s?,
        activation_s: activation_s?,
        remind_s: remind_s?,
        facts_fresh_for_s: facts_fresh_for_s.map_or(Some(None), |s| s.map(Some))?,
        time_zone: time_zone?,
    })
}

fn read_risk(item: &Item<'_>) -> Option<Risk> {
    let text = item.string()?;
    let all = [Risk::Low, Risk::Medium, Risk::High, Risk::Critical];
    let risk = all.into_iter().find(|risk| risk.as_str() == text);
    if risk.is_none() {
        item.problem(
            format!("{} is not a risk", quoted(text)),
            "Write low, medium, high or critical.",
        );
    }
    risk
}

fn read_issuer(
    item: &Item<'_>,
    names: &Names,
    issuers: &BTreeMap<IssuerName, IssuerConfig>,
) -> Option<IssuerName> {
    let text = item.string()?;
    if !names.issuers.contains(text) {
        item.problem(
            format!("there is no issuer {}", quoted(text)),
            nearest(text, names.issuers.iter().map(String::as_str)),
        );
        return None;
    }
    let name = IssuerName::new(text).ok()?;
    if issuers.get(&name).is_some_and(IssuerConfig::is_retired) {
        item.problem(
            format!(
                "the issuer {} is retired and gives nothing any more",
                quoted(text)
            ),
            "Name another issuer, or remove this resource; what it gave is still taken away.",
        );
        return None;
    }
    Some(name)
}

/// Seconds: default and most.
fn read_durations(item: &Item<'_>) -> Option<(i64, i64)> {
    let table = item.table(DURATION_KEYS, &[])?;
    let max_s = table
        .need("max", DURATION_HINT)
        .and_then(|item| item.duration());
    let default = table.need("default", DURATION_HINT)?;
    let default_s = default.duration();
    let (default_s, max_s) = (default_s?, max_s?);
    if default_s > max_s {
        default.problem(
            format!("is longer than max, {}", duration::format(max_s)),
            "Shorten it, or raise max.",
        );
        return None;
    }
    Some((default_s, max_s))
}

fn read_approve(item: &Item<'_>, names: &Names) -> Option<Approval> {
    let stages = item.array()?;
    let [stage] = &stages[..] else {
        if stages.is_empty() {
            item.problem(
                "is empty",
                "Write one stage, like [{ from = [\"group:sre\"], count = 1 }].",
            );
        } else {
            item.problem(
                format!("has {} stages", stages.len()),
                "One is served today, several come later. People of one stage's from count alike: with count = 2 any two of them are enough, also two of the same group.",
            );
        }
        return None;
    };
    let table = stage.table(APPROVE_KEYS, &[])?;
    let from = table
        .need("from", "Name who approves, like [\"group:sre\"].")
        .and_then(|item| subject::read_all(&item, names));
    let count = match table.get("count") {
        Some(item) => item.integer(1, APPROVALS_MAX),
        None => Some(1),
    };
    Some(Approval {
        from: from?,
        count: count?,
    })
}

fn read_auto_approve(
    item: &Item<'_>,
    names: &Names,
    risk: Option<Risk>,
    max_s: Option<i64>,
) -> Option<Vec<AutoApproval>> {
    let rules = item.array()?;
    if let Some(risk @ (Risk::High | Risk::Critical)) = risk
        && !rules.is_empty()
    {
        item.problem(
            format!("approves without people what is of {} risk", risk.as_str()),
            "Leave it out: only low and medium risk may be approved by a rule.",
        );
    }
    let mut read = Some(Vec::new());
    for rule in &rules {
        match (read_auto_rule(rule, names, max_s), &mut read) {
            (Some(rule), Some(read)) => read.push(rule),
            (None, _) => read = None,
            (Some(_), None) => {}
        }
    }
    read
}

fn read_auto_rule(item: &Item<'_>, names: &Names, max_s: Option<i64>) -> Option<AutoApproval> {
    let table = item.table(AUTO_APPROVE_KEYS, &[])?;
    let from = table
        .need("from", "Name for whom, like [\"group:oncall\"].")
        .and_then(|item| subject::read_all(&item, names));
    let limit = table.need("max", DURATION_HINT)?;
    let limit_s = limit.duration()?;
    if let Some(max_s) = max_s
        && limit_s > max_s
    {
        limit.problem(
            format!(
                "is longer than the resource's own max, {}",
                duration::format(max_s)
            ),
            "Shorten it.",
        );
        return None;
    }
    let cool_down_s = match table.get("cool_down") {
        Some(item) => item.duration()?,
        None => COOL_DOWN_DEFAULT_S,
    };
    Some(AutoApproval {
        from: from?,
        max_s: limit_s,
        cool_down_s,
    })
}

fn read_remind(item: &Item<'_>, max_s: Option<i64>) -> Option<Vec<i64>> {
    let mut moments = Some(Vec::new());
    for item in item.array()? {
        let before_s = item.duration();
        let too_early = before_s
            .zip(max_s)
            .filter(|(before_s, max_s)| before_s >= max_s);
        if let Some((_, max_s)) = too_early {
            item.problem(
                format!(
                    "is not shorter than duration.max, {}",
                    duration::format(max_s)
                ),
                "It is the time before the end: shorten it, or nobody is ever reminded.",
            );
        }
        match (before_s, &mut moments) {
            (Some(before_s), Some(moments)) if too_early.is_none() => moments.push(before_s),
            _ => moments = None,
        }
    }
    let mut moments = moments?;
    moments.sort_unstable_by(|a, b| b.cmp(a));
    moments.dedup();
    Some(moments)
}

//! What a period would have told, as JSON: the same for the command line and for whoever asks over the API.

use serde_json::{Value as Json, json};
use sigma::{About, Rule, Rules};

use crate::{
    FindingKind,
    past::{Outcome, Told},
    proposal::{Remedy, propose},
};

/// What a rule was told about most often.
const ENTITIES: usize = 10;

/// Who told something: a rule of Sigma, or a detector.
#[derive(Debug, Clone)]
pub struct Teller<'r> {
    /// The title of a rule, else the detector's name.
    pub title: String,
    /// The file of the rule.
    pub file: Option<&'r str>,
    /// The rule, where it is no correlation.
    pub rule: Option<&'r Rule>,
}

impl<'r> Teller<'r> {
    /// Who told this.
    pub fn of(rules: &'r Rules, told: &Told) -> Self {
        let is_meant = |about: &&About| told.kind == FindingKind::Sigma && about.id_or_title() == told.rule;
        let rule = rules.rules().iter().find(|rule| is_meant(&&rule.about));
        let correlation = rules.correlations().iter().map(|it| &it.about).find(is_meant);
        let about = rule.map(|rule| &rule.about).or(correlation);
        Self {
            title: about.map_or(told.rule.clone(), |about| about.title.clone()),
            file: about.map(|about| about.file.as_str()),
            rule,
        }
    }
}

/// A period and what rules and detectors would have told of it: `{"from","to","days","events","rules":[…]}`.
pub fn outcome_json(outcome: &Outcome, told: &[&Told], rules: &Rules) -> Json {
    json!({
        "from": outcome.period.map(|(first, _)| first),
        "to": outcome.period.map(|(_, last)| last),
        "days": rounded(outcome.days()),
        "events": outcome.events,
        "rules": told.iter().map(|told| told_json(told, outcome, rules)).collect::<Vec<_>>(),
    })
}

fn told_json(told: &Told, outcome: &Outcome, rules: &Rules) -> Json {
    let teller = Teller::of(rules, told);
    let entities = told.most(ENTITIES).into_iter().map(|(entity, about)| {
        json!({
            "type": entity.r#type.as_str(),
            "value": entity.value,
            "findings": about.findings,
            "events": about.events,
        })
    });
    let examples = told.examples.iter().map(|example| {
        json!({
            "@timestamp": example.at,
            "id": example.event,
            "entity": {"type": example.about.r#type.as_str(), "value": example.about.value},
            "message": example.message,
        })
    });
    let proposal = propose(told, teller.rule).map(|proposal| {
        let entity = &proposal.entity;
        let mut json = json!({
            "entity": {"type": entity.r#type.as_str(), "value": entity.value},
            "share": rounded(proposal.share),
        });
        match proposal.remedy {
            Remedy::Filter(filter) => json["filter"] = filter.into(),
            Remedy::OwnAddress(address) => json["own_address"] = address.into(),
            Remedy::Suppression { kind, rule } => {
                let entity = format!("{}:{}", entity.r#type.as_str(), entity.value);
                json["suppression"] = json!({"kind": kind.as_str(), "rule": rule, "entity": entity});
            }
        }
        json
    });
    json!({
        "kind": told.kind.as_str(),
        "rule": told.rule,
        "title": teller.title,
        "file": teller.file,
        "severity": told.level.as_str(),
        "findings": told.findings,
        "events": told.events,
        "a_day": rounded(told.findings as f64 / outcome.days()),
        "entities": entities.collect::<Vec<_>>(),
        "examples": examples.collect::<Vec<_>>(),
        "proposal": proposal,
    })
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

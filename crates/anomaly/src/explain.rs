//! What drove a score, in words with numbers. Only anomalies are explained.

use event::{Event, Severity, Template, Variable};

use crate::{
    model::Model,
    window::{Counted, Facts, Feature, Row},
};

/// Most reasons of a verdict.
pub(crate) const REASONS_MAX: usize = 4;
/// Evidence below this is not worth a sentence.
const LEAST: f32 = 0.8;
/// Nor below this when nothing else speaks up.
const WEAKEST: f32 = 0.3;
/// The share in a row's isolation from which a feature is named.
const ISOLATES: f32 = 0.15;
/// Characters of a value quoted.
const QUOTED_MAX: usize = 80;

/// The reasons for a row's score, strongest first.
pub(crate) fn reasons(
    model: &Model,
    row: &Row,
    facts: &Facts,
    event: &Event<'_>,
    variables: &[Variable],
) -> Vec<String> {
    let ranked = model.ranked(row);
    let mut reasons: Vec<String> = ranked
        .iter()
        .filter(|(_, evidence)| *evidence >= LEAST)
        .filter_map(|(feature, _)| sentence(*feature, facts, event, variables))
        .take(REASONS_MAX)
        .collect();
    if reasons.is_empty() {
        let strongest = ranked
            .iter()
            .filter(|(_, evidence)| *evidence >= WEAKEST)
            .find_map(|(feature, _)| sentence(*feature, facts, event, variables));
        reasons.extend(strongest);
        reasons.push(together(model, row));
    } else if reasons.len() == 1 {
        // One alone seldom is all: what else isolates the row in the forest.
        let also = model.attribution(row).into_iter().take_while(|(_, share)| *share >= ISOLATES);
        let evidence =
            |feature: Feature| ranked.iter().any(|(f, e)| *f == feature && (WEAKEST..LEAST).contains(e));
        let also = also.filter(|(feature, _)| evidence(*feature));
        reasons.extend(also.filter_map(|(feature, _)| sentence(feature, facts, event, variables)).take(1));
    }
    reasons
}

/// The known template that a message of none is most like.
pub(crate) fn nearest(template: &Template) -> String {
    format!("the line known that is most like it is {}", quote(&template.text))
}

/// What the forest finds strange about a row of which no feature is strange by itself.
fn together(model: &Model, row: &Row) -> String {
    let shares = model.attribution(row).into_iter();
    let names: Vec<&str> = shares
        .take_while(|(_, share)| *share >= ISOLATES)
        .take(3)
        .map(|(feature, _)| name(feature))
        .collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("{} and {last} come together as they rarely do", rest.join(", "))
        }
        _ => "its features come together as they rarely do".to_owned(),
    }
}

/// What a feature looks at.
pub(crate) const fn name(feature: Feature) -> &'static str {
    match feature {
        Feature::NewTemplate => "new template",
        Feature::RareTemplate => "rarity of the template",
        Feature::NewSource => "new source",
        Feature::NewHost => "new host",
        Feature::TemplateLevel => "level against the template's usual one",
        Feature::SourceLevel => "level against the source's usual ones",
        Feature::Severity => "level",
        Feature::TemplateSpike => "rate of the template",
        Feature::SourceSpike => "rate of the source",
        Feature::TemplateGap => "silence of the template",
        Feature::SourceGap => "silence of the source",
        Feature::Length => "message length",
        Feature::Number => "numbers",
        Feature::Value => "new values",
        Feature::Hour => "hour of the day",
        Feature::Weekday => "day of the week",
    }
}

fn sentence(feature: Feature, facts: &Facts, event: &Event<'_>, variables: &[Variable]) -> Option<String> {
    let source = event.source.as_deref().map_or_else(|| "this source".to_owned(), quote);
    let value = |at: u8| variables.get(usize::from(at)).map(|variable| quote(variable.of(&event.message)));
    Some(match feature {
        Feature::NewTemplate if facts.source_count == 0 => format!("the first event from {source}"),
        Feature::NewTemplate => format!(
            "first time this template is seen from {source}, after {} events",
            grouped(facts.source_count.into())
        ),
        Feature::RareTemplate if facts.group_count == 0 => return None,
        Feature::RareTemplate => format!(
            "this template is rare: {} of {} events from {source}",
            grouped(facts.group_count.into()),
            grouped(facts.source_count.into())
        ),
        Feature::NewSource => format!("{source} is seen for the first time"),
        Feature::NewHost => format!(
            "{source} is seen on host {} for the first time",
            event.host.as_deref().map_or_else(|| "unknown".to_owned(), quote)
        ),
        Feature::TemplateLevel => {
            let usual = Severity::from_u8(facts.usual_level).unwrap_or(Severity::Info);
            format!("level is {}; usual for this template is {usual}", event.severity)
        }
        Feature::SourceLevel => format!("events of level {} or above are rare from {source}", event.severity),
        Feature::Severity if event.severity >= Severity::Error => format!("level is {}", event.severity),
        Feature::Severity => return None,
        Feature::TemplateSpike => {
            let (count, usual) =
                spike(facts.template_count, facts.template_mean / f32::from(facts.template_minutes.max(1)))?;
            format!("{count} of this template within {}; usual is {usual}", span(facts.template_minutes))
        }
        Feature::SourceSpike => {
            let (count, usual) =
                spike(facts.source_minute_count, facts.source_mean / f32::from(facts.source_minutes.max(1)))?;
            let kind = counted(facts.source_counted);
            format!("{count} {kind} from {source} within {}; usual is {usual}", span(facts.source_minutes))
        }
        Feature::TemplateGap if facts.group_count > 1 => format!(
            "this template comes after {} of silence; usual is {}",
            duration(facts.gap_s),
            duration(facts.usual_gap_s)
        ),
        Feature::SourceGap if facts.quiet_usual > 0.0 => format!(
            "{} events from {source} in two hours; usual is {}",
            plain(facts.quiet_count),
            short(facts.quiet_usual)
        ),
        Feature::SourceGap if facts.source_count > 1 => format!(
            "{source} was silent for {}; usual is {}",
            duration(facts.source_gap_s),
            duration(facts.source_usual_gap_s)
        ),
        Feature::TemplateGap | Feature::SourceGap => return None,
        Feature::Length => format!(
            "message of {} bytes; usual for this template is {}",
            grouped(facts.length.into()),
            short(facts.usual_length)
        ),
        Feature::Number => number(facts),
        Feature::Value => told_of_value(&value(facts.value_at)?, facts),
        Feature::Hour => {
            format!("{source} is active at this hour on {} of {} days", facts.hour_active, facts.days)
        }
        Feature::Weekday => format!("{source} is seldom active on this day of the week"),
    })
}

const fn counted(what: Counted) -> &'static str {
    match what {
        Counted::Events => "events",
        Counted::Errors => "errors",
        Counted::Addresses => "new addresses",
    }
}

fn told_of_value(value: &str, facts: &Facts) -> String {
    if facts.failures_tell {
        let (failures, usual) = (grouped(facts.failures.into()), short(facts.usual_failures));
        return format!("{value} failed {failures} times within the hour before this; usual is {usual}");
    }
    format!("{value} is new at its place, after {} values", grouped(facts.values_seen.into()))
}

/// The time that a spike is counted in.
const fn span(minutes: u8) -> &'static str {
    if minutes == 15 { "a quarter of an hour" } else { "a minute" }
}

/// A count within a while and the usual one a minute, where the first is well above the second.
fn spike(count: u32, mean: f32) -> Option<(String, String)> {
    if (count as f32) < 2.0 * mean {
        return None;
    }
    let usual = match mean {
        mean if mean >= 0.95 => format!("{} a minute", short(mean)),
        mean if mean >= 1.0 / 60.0 => format!("{} an hour", short(mean * 60.0)),
        mean if mean >= 1.0 / 1_440.0 => format!("{} a day", short(mean * 1_440.0)),
        _ => "less than one a day".to_owned(),
    };
    Some((grouped(count.into()), usual))
}

fn number(facts: &Facts) -> String {
    let (value, low, high) = (facts.number, facts.low, facts.high);
    if value > high && high > 0.0 && value / high >= 1.5 {
        format!("{} is {} times the largest value before, {}", plain(value), short(value / high), plain(high))
    } else if value > high {
        format!("{} is above the largest value before, {}", plain(value), plain(high))
    } else {
        format!("{} is below the smallest value before, {}", plain(value), plain(low))
    }
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("'{}…'", &text[..end]),
        None => format!("'{text}'"),
    }
}

/// A whole number with its thousands apart, any other with up to two decimals.
fn plain(number: f32) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        let sign = if number < 0.0 { "-" } else { "" };
        format!("{sign}{}", grouped(number.abs() as u64))
    } else if number.abs() < 1e15 {
        format!("{number:.2}")
    } else {
        format!("{number:.2e}")
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn short(number: f32) -> String {
    if number >= 10.0 { grouped(number.round() as u64) } else { format!("{number:.1}") }
}

fn duration(seconds: f32) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(plain(-2000.0), "-2,000");
        assert_eq!(short(0.42), "0.4");
        assert_eq!(duration(0.25), "250 ms");
        let usual = |count, mean| spike(count, mean).map(|(_, usual)| usual);
        assert_eq!(usual(40, 3.0).as_deref(), Some("3.0 a minute"));
        assert_eq!(usual(40, 0.5).as_deref(), Some("30 an hour"));
        assert_eq!(usual(40, 0.001).as_deref(), Some("1.4 a day"));
        assert_eq!(usual(40, 0.0).as_deref(), Some("less than one a day"));
        assert_eq!(usual(5, 4.5), None);
        assert_eq!(duration(5.0 * 86_400.0), "5 days");
        assert_eq!(quote("é".repeat(100).as_str()).chars().count(), QUOTED_MAX + 3);
    }
}

//! Charts as inline SVG. What they show in colour they say in words as well.

use finding::Level;

use super::markup::escaped;
use crate::{
    period::Unit,
    report::{BySeverity, OverTime},
    words::Voice,
};

const WIDTH: f64 = 520.0;
/// One severity: a bar of now, and below it one of before.
const ROW: f64 = 34.0;
const LABEL: f64 = 96.0;
const VALUE: f64 = 84.0;
const HEIGHT: f64 = 170.0;
const BASE: f64 = 144.0;
const TOP: f64 = 12.0;
const LEFT: f64 = 34.0;

fn svg(height: f64, label: &str, content: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{content}</svg>",
        escaped(label)
    )
}

/// A bar for each severity, and one below it for the period before.
pub(super) fn severities(severities: &[BySeverity], voice: &Voice) -> String {
    let most = severities.iter().map(|one| one.signals.now.max(one.signals.before)).max().unwrap_or(0).max(1);
    let room = WIDTH - LABEL - VALUE;
    let width = |count: u64| count as f64 / most as f64 * room;
    let mut content = String::new();
    for (row, one) in severities.iter().enumerate() {
        let (y, name) = (row as f64 * ROW, voice.severity(one.severity));
        let (now, before) = (one.signals.now, one.signals.before);
        content.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
             <rect class=\"{}\" x=\"{LABEL}\" y=\"{}\" width=\"{:.1}\" height=\"14\"/>\
             <rect class=\"before\" x=\"{LABEL}\" y=\"{}\" width=\"{:.1}\" height=\"5\"/>\
             <text class=\"value\" x=\"{:.1}\" y=\"{}\">{} <tspan>({})</tspan></text>",
            LABEL - 10.0,
            y + 18.0,
            one.severity.as_str(),
            y + 5.0,
            width(now),
            y + 20.0,
            width(before),
            LABEL + width(now.max(before)) + 8.0,
            y + 18.0,
            voice.number(now),
            voice.number(before),
        ));
    }
    let label = voice.say(
        "Signals of each severity, in brackets the period before",
        "Sinais de cada severidade, entre parênteses o período anterior",
    );
    let caption = format!("<p class=\"caption\">{label}</p>");
    svg(severities.len() as f64 * ROW, label, &content) + &caption
}

/// A bar for each hour or day, the least grave at its foot.
pub(super) fn over_time(over_time: &OverTime, voice: &Voice) -> String {
    let totals: Vec<u64> = over_time.began.iter().map(|bar| bar.iter().sum()).collect();
    let most = totals.iter().copied().max().unwrap_or(0);
    let bars = over_time.begins.len().max(1) as f64;
    let (step, scale) = ((WIDTH - LEFT) / bars, (BASE - TOP) / most.max(1) as f64);
    let is_hour = over_time.unit == Unit::Hour;
    let mut content = format!(
        "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{BASE}\" x2=\"{WIDTH}\" y2=\"{BASE}\"/>\
         <text class=\"tick\" x=\"{}\" y=\"{BASE}\" text-anchor=\"end\">0</text>",
        LEFT - 6.0
    );
    if most > 0 {
        content.push_str(&format!(
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{TOP}\" x2=\"{WIDTH}\" y2=\"{TOP}\"/>\
             <text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            TOP + 4.0,
            voice.number(most)
        ));
    }
    // Labels stand at least so far apart.
    let each = (46.0 / step).ceil().max(1.0) as usize;
    for (place, (begins, bar)) in over_time.begins.iter().zip(&over_time.began).enumerate() {
        let x = LEFT + place as f64 * step;
        let mut y = BASE;
        // From the least grave, which stands last.
        for (level, count) in Level::ALL.iter().zip(bar.iter().rev()).filter(|(_, count)| **count > 0) {
            let height = *count as f64 * scale;
            y -= height;
            let title =
                format!("{} · {}: {}", voice.time(*begins), voice.severity(*level), voice.number(*count));
            content.push_str(&format!(
                "<rect class=\"{}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{title}</title></rect>",
                level.as_str(),
                x + step * 0.1,
                step * 0.8,
            ));
        }
        if place % each == 0 && x + 36.0 <= WIDTH {
            content.push_str(&format!(
                "<text class=\"tick\" x=\"{:.1}\" y=\"{}\">{}</text>",
                x,
                BASE + 16.0,
                voice.short(*begins, is_hour)
            ));
        }
    }
    let label = match over_time.unit {
        Unit::Hour => voice.say("Signals that began, hour by hour", "Sinais que começaram, hora a hora"),
        Unit::Day => voice.say("Signals that began, day by day", "Sinais que começaram, dia a dia"),
        Unit::Days => voice
            .say("Signals that began, over several days each", "Sinais que começaram, a cada vários dias"),
    };
    svg(HEIGHT, label, &content) + &format!("<p class=\"caption\">{label}</p>")
}

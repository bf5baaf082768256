//! A message as lines that a person reads, in whatever markup.

use crate::{
    markup::Markup,
    message::{Message, Occasion, Telling, cut, seconds},
};

/// Lines of logs are cut here when they are shown to people, in characters.
const SAMPLE_MAX: usize = 300;
/// So many of the alerts that stand behind the first are named; the rest are counted.
const NAMED_MAX: usize = 20;

/// The lines of a message: title, what happened, why it matters, what to do next, lines of logs, and the other
/// alerts by name. Each line is whole in itself, so that a text can end behind any of them.
pub(crate) fn lines(message: &Message, markup: &dyn Markup) -> Vec<String> {
    let mut lines = vec![markup.strong(&message.headline())];
    lines.extend(message.lateness().map(|text| markup.text(&text)));
    let Some(main) = message.main() else { return lines };
    lines.extend(body(main, markup));
    let others = &message.alerts[1..];
    if !others.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong("Told together with it"));
        let named = others.iter().take(NAMED_MAX).map(|other| markup.text(&other.headline()));
        lines.extend(named);
        let left_out = others.len().saturating_sub(NAMED_MAX);
        if left_out > 0 {
            lines.push(markup.text(&format!("and {left_out} more")));
        }
    }
    lines
}

fn body(telling: &Telling, markup: &dyn Markup) -> Vec<String> {
    let mut lines = vec![];
    let words = &telling.words;
    lines.extend(
        [&words.what, &words.why].into_iter().filter(|text| !text.is_empty()).map(|text| markup.text(text)),
    );
    if telling.occasion != Occasion::Resolved && !words.next.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong("What to do next"));
        let steps = words.next.iter().enumerate();
        lines.extend(steps.map(|(at, step)| markup.text(&format!("{}. {step}", at + 1))));
    }
    if !telling.samples.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong("From the log"));
        lines.extend(telling.samples.iter().map(|sample| markup.code(&cut(sample, SAMPLE_MAX))));
    }
    lines.push(String::new());
    let of = if telling.count == 1 { "event" } else { "events" };
    let organization = telling.organization.as_ref().map(|name| format!(", organization {name}"));
    lines.push(markup.text(&format!(
        "{} {of}, {} to {}{}. Alert {}",
        telling.count,
        seconds(telling.first),
        seconds(telling.last),
        organization.unwrap_or_default(),
        telling.alert,
    )));
    lines
}

/// As many whole lines as fit in so many characters. The first is cut where it alone does not fit.
pub(crate) fn fitting(lines: &[String], chars_max: usize) -> String {
    const CUT: &str = "\n…";
    let whole = lines.join("\n");
    // Services count UTF-16 units, of which a character has one or two.
    let length = |text: &str| text.encode_utf16().count();
    if length(&whole) <= chars_max {
        return whole;
    }
    let mut text = String::new();
    for line in lines {
        if length(&text) + 1 + length(line) + CUT.len() > chars_max {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    text + CUT
}

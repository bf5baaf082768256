//! A message as lines that a person reads, in whatever markup.

use crate::{
    markup::Markup,
    message::{Message, Occasion, Telling, cut},
    voice::{Measure, Voice},
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
    let voice = &message.voice;
    lines.extend(body(main, voice, markup));
    let others = &message.alerts[1..];
    if !others.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong(voice.together()));
        let named = others.iter().take(NAMED_MAX).map(|other| markup.text(&other.headline(voice)));
        lines.extend(named);
        let left_out = others.len().saturating_sub(NAMED_MAX);
        if left_out > 0 {
            lines.push(markup.text(&voice.and_more(left_out)));
        }
    }
    lines
}

fn body(telling: &Telling, voice: &Voice, markup: &dyn Markup) -> Vec<String> {
    let mut lines = vec![];
    let words = &telling.words;
    for text in [&words.what, &words.why].into_iter().filter(|text| !text.is_empty()) {
        lines.extend([String::new(), markup.text(text)]);
    }
    if telling.occasion != Occasion::Resolved && !words.next.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong(voice.next_steps()));
        let steps = words.next.iter().enumerate();
        lines.extend(steps.map(|(at, text)| markup.text(&format!("{}. ", at + 1)) + &step(text, markup)));
    }
    if !telling.samples.is_empty() {
        lines.push(String::new());
        lines.push(markup.strong(voice.log_says()));
        lines.extend(telling.samples.iter().map(|sample| markup.code(&cut(sample, SAMPLE_MAX))));
    }
    lines.push(String::new());
    lines.push(markup.text(&voice.measure(&Measure {
        count: telling.count,
        first: telling.first,
        last: telling.last,
        organization: telling.organization.as_deref(),
        alert: &telling.alert.to_string(),
    })));
    lines
}

/// A step in which commands can be copied: `What for: command`, `What for (undo: command): command`.
fn step(text: &str, markup: &dyn Markup) -> String {
    let is_command = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase());
    let Some((aim, command)) = text.rsplit_once(": ").filter(|(_, command)| is_command(command)) else {
        return markup.text(text);
    };
    let undo = aim.strip_suffix(')').and_then(|aim| aim.rsplit_once(": "));
    let aim = match undo.filter(|(before, undo)| before.contains('(') && is_command(undo)) {
        Some((before, undo)) => {
            format!("{}{}{}", markup.text(&format!("{before}: ")), markup.command(undo), markup.text(")"))
        }
        None => markup.text(aim),
    };
    format!("{aim}{}{}", markup.text(": "), markup.command(command))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::{Html, Markdown, Plain, TelegramHtml};

    #[test]
    fn commands_can_be_copied_from_every_markup() {
        let text =
            "Block it (undo: ip route del blackhole 2001:db8::/64): sudo grep -F '<x>' /var/log/auth.log";
        assert_eq!(step(text, &Plain), text);
        assert_eq!(
            step(text, &TelegramHtml),
            "Block it (undo: <code>ip route del blackhole 2001:db8::/64</code>): \
             <code>sudo grep -F '&lt;x&gt;' /var/log/auth.log</code>"
        );
        assert_eq!(step(text, &Html), step(text, &TelegramHtml));
        assert_eq!(
            step(text, &Markdown),
            "Block it (undo: `ip route del blackhole 2001:db8::/64`): `sudo grep -F '<x>' /var/log/auth.log`"
        );
        for text in ["Ask ann, in person", "Look: At it", "a (b: C): D", ": "] {
            assert_eq!(step(text, &TelegramHtml), TelegramHtml.text(text));
        }
    }
}

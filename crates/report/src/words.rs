//! The words of a report, in two languages, and numbers and times as people read them.

use event::Timestamp;
use finding::{EntityType, FindingKind, Level};
use jiff::tz::TimeZone;
use signal::narrative::Language;
use telemetry::clean;

use crate::{
    coverage::SourceType,
    report::{Counted, Report},
};

/// For whom a report is written.
#[derive(Debug, Clone)]
pub struct Voice {
    /// In which language.
    pub language: Language,
    /// In which zone times are told; its name stands in the report.
    pub zone: TimeZone,
}

/// Longer names of others are cut, in characters.
const NAME_MAX: usize = 120;

impl Voice {
    /// One of two texts.
    pub(crate) fn say<'t>(&self, english: &'t str, portuguese: &'t str) -> &'t str {
        match self.language {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
    }

    /// A number with one or several of something.
    pub(crate) fn many(&self, number: u64, english: [&str; 2], portuguese: [&str; 2]) -> String {
        let words = if self.language == Language::English { english } else { portuguese };
        // In Portuguese 0 is several as well.
        format!("{} {}", self.number(number), if number == 1 { words[0] } else { words[1] })
    }

    /// A number in groups of three digits.
    pub(crate) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let separator = self.say(",", ".");
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push_str(separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// By how much more or less: `+3`, `−2`, `=`.
    pub(crate) fn difference(&self, counted: Counted) -> String {
        match counted.now.cmp(&counted.before) {
            std::cmp::Ordering::Greater => format!("+{}", self.number(counted.now - counted.before)),
            std::cmp::Ordering::Less => format!("−{}", self.number(counted.before - counted.now)),
            std::cmp::Ordering::Equal => "=".to_owned(),
        }
    }

    /// A moment to the minute, in the zone.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// A moment as a chart has room for it.
    pub(crate) fn short(&self, at: Timestamp, is_hour: bool) -> String {
        let zoned = at.to_jiff().to_zoned(self.zone.clone());
        let form = match (is_hour, self.language) {
            (true, _) => "%H:%M",
            (false, Language::English) => "%m-%d",
            (false, Language::Portuguese) => "%d/%m",
        };
        zoned.strftime(form).to_string()
    }

    /// The zone's name.
    pub(crate) fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }

    /// A duration in its two largest units.
    pub(crate) fn duration(&self, seconds: u64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} s"),
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, 0) => format!("{hours} h"),
            (0, hours, minutes) => format!("{hours} h {minutes} min"),
            (days, 0, _) => format!("{days} d"),
            (days, hours, _) => format!("{days} d {hours} h"),
        }
    }

    pub(crate) fn severity(&self, level: Level) -> &'static str {
        let both = match level {
            Level::Critical => ["critical", "crítica"],
            Level::High => ["high", "alta"],
            Level::Medium => ["medium", "média"],
            Level::Low => ["low", "baixa"],
            Level::Informational => ["info", "informativa"],
        };
        self.say(both[0], both[1])
    }

    pub(crate) fn entity(&self, of: EntityType) -> &'static str {
        let both = match of {
            EntityType::SourceIp => ["address", "endereço"],
            EntityType::User => ["user", "usuário"],
            EntityType::Host => ["host", "máquina"],
            EntityType::Service => ["service", "serviço"],
            EntityType::Process => ["process", "processo"],
            EntityType::Template => ["message", "mensagem"],
        };
        self.say(both[0], both[1])
    }

    pub(crate) fn source(&self, of: SourceType) -> &'static str {
        match of {
            SourceType::File => self.say("file", "arquivo"),
            SourceType::Service => self.say("service", "serviço"),
        }
    }

    /// A kind's name as words.
    pub(crate) fn kind(&self, kind: FindingKind) -> String {
        kind.as_str().replace('_', " ")
    }
}

/// Text of others in one line, of a length that fits.
pub(crate) fn name(text: &str) -> String {
    let line = clean::line(text);
    match line.char_indices().nth(NAME_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}

/// What a report is called, in one line.
pub fn headline(report: &Report, voice: &Voice) -> String {
    let of = match &report.organization {
        Some(organization) => format!(" ({})", name(organization)),
        None => String::new(),
    };
    let (from, to) = (voice.time(report.period.from), voice.time(report.period.to));
    format!(
        "{}{of}: {from} – {to} ({})",
        voice.say("Security report", "Relatório de segurança"),
        voice.zone_name()
    )
}

/// What it comes to, in a few sentences.
pub fn summary(report: &Report, voice: &Voice) -> String {
    let signals = &report.signals;
    if signals.total.now == 0 {
        let before = voice.many(signals.total.before, ["signal", "signals"], ["sinal", "sinais"]);
        return match signals.total.before {
            0 => voice
                .say("No signals, and none the period before.", "Nenhum sinal, e nenhum no período anterior.")
                .to_owned(),
            _ => format!(
                "{} {before} {}",
                voice.say("No signals;", "Nenhum sinal;"),
                voice.say("the period before.", "no período anterior.")
            ),
        };
    }
    let grave: u64 =
        signals.by_severity.iter().filter(|one| one.severity >= Level::High).map(|one| one.signals.now).sum();
    let total = voice.many(signals.total.now, ["signal", "signals"], ["sinal", "sinais"]);
    let change = match signals.total.now.cmp(&signals.total.before) {
        std::cmp::Ordering::Equal => {
            voice.say("as many as the period before", "tantos quanto no período anterior").to_owned()
        }
        _ => format!(
            "{} {}",
            voice.difference(signals.total),
            voice.say("against the period before", "em relação ao período anterior")
        ),
    };
    let mut text = format!("{total} ({change})");
    text.push_str(&match grave {
        0 => voice
            .say(", none of them high or critical.", ", nenhum de severidade alta ou crítica.")
            .to_owned(),
        _ => format!(
            ", {} {}.",
            voice.number(grave),
            voice.say("of them high or critical", "de severidade alta ou crítica")
        ),
    });
    if signals.open > 0 {
        let open = voice.many(
            signals.open,
            ["still asks for attention.", "still ask for attention."],
            ["ainda pede atenção.", "ainda pedem atenção."],
        );
        text.push_str(&format!(" {open}"));
    }
    if report.unseen.total > 0 {
        let unseen = voice.many(
            report.unseen.total,
            ["was never looked at.", "were never looked at."],
            ["nunca foi visto por ninguém.", "nunca foram vistos por ninguém."],
        );
        text.push_str(&format!(" {unseen}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(language: Language) -> Voice {
        Voice { language, zone: TimeZone::UTC }
    }

    #[test]
    fn numbers_and_durations_are_as_people_read_them() {
        let [english, portuguese] = [Language::English, Language::Portuguese].map(voice);
        assert_eq!([0, 999, 1_000, 1_234_567].map(|n| english.number(n)), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(portuguese.number(12_345), "12.345");
        let durations = [0, 59, 60, 3_600, 3_660, 86_400, 90_000, 93_600].map(|s| english.duration(s));
        assert_eq!(durations, ["0 s", "59 s", "1 min", "1 h", "1 h 1 min", "1 d", "1 d 1 h", "1 d 2 h"]);
        let differences =
            [(3, 1), (1, 3), (2, 2)].map(|(now, before)| english.difference(Counted { now, before }));
        assert_eq!(differences, ["+2", "−2", "="]);
        assert!(!name("a\u{1b}[2Jb").contains('\u{1b}'));
        assert_eq!(name(&"x".repeat(500)).chars().count(), NAME_MAX + 1);
    }
}

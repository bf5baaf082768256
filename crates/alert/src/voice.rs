//! The words that stand around an alert's own, in the language and zone of those who read them.

use event::Timestamp;
use finding::Level;
use jiff::tz::TimeZone;
use signal::narrative::Language;

use crate::words::{Occasion, Words};

/// In which language and zone people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The language; the words of signals should be in the same one.
    pub language: Language,
    /// The zone of the times; its name stands beside them.
    pub zone: TimeZone,
}

/// How much there was of something, and when.
pub(crate) struct Measure<'a> {
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) organization: Option<&'a str>,
    /// The alert's name.
    pub(crate) alert: &'a str,
}

impl Default for Voice {
    fn default() -> Self {
        Self { language: Language::English, zone: TimeZone::UTC }
    }
}

impl Voice {
    fn say<'a>(&self, english: &'a str, portuguese: &'a str) -> &'a str {
        match self.language {
            Language::English => english,
            Language::Portuguese => portuguese,
        }
    }

    /// A point in time to the second, as it is written where the language is spoken, with its zone.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        let zoned = at.to_jiff().to_zoned(self.zone.clone());
        let format = self.say("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S");
        let zone = match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => zoned.strftime("UTC%:z").to_string(),
        };
        format!("{} ({zone})", zoned.strftime(format))
    }

    /// What a title begins with, such as `[HIGH]`.
    pub(crate) fn mark(&self, occasion: Occasion, severity: Level) -> String {
        let severity = match severity {
            Level::Informational => self.say("INFO", "INFORMAÇÃO"),
            Level::Low => self.say("LOW", "BAIXA"),
            Level::Medium => self.say("MEDIUM", "MÉDIA"),
            Level::High => self.say("HIGH", "ALTA"),
            Level::Critical => self.say("CRITICAL", "CRÍTICA"),
        };
        match occasion {
            Occasion::Resolved => format!("[{}]", self.say("RESOLVED", "RESOLVIDO")),
            Occasion::Test => format!("[{}]", self.say("TEST", "TESTE")),
            Occasion::Assessed => format!("[{}]", self.say("AI", "IA")),
            Occasion::Report => format!("[{}]", self.say("REPORT", "RELATÓRIO")),
            Occasion::Repeated => format!("[{severity}, {}]", self.say("STILL OPEN", "AINDA EM ABERTO")),
            Occasion::Raised | Occasion::Escalated | Occasion::Trouble => format!("[{severity}]"),
        }
    }

    pub(crate) fn with_others(&self, title: &str, others: usize) -> String {
        match (others, self.language) {
            (0, _) => title.to_owned(),
            (_, Language::English) => format!("{title} (and {others} more)"),
            (_, Language::Portuguese) => format!("{title} (e mais {others})"),
        }
    }

    /// The sentence that a late message begins with.
    pub(crate) fn late(&self, minutes: u64, happened: Timestamp, recorded: Timestamp) -> String {
        let (happened, recorded) = (self.time(happened), self.time(recorded));
        match self.language {
            Language::English => {
                let unit = if minutes == 1 { "minute" } else { "minutes" };
                format!(
                    "Delayed by {minutes} {unit}: this happened at {happened} and was recorded at {recorded}."
                )
            }
            Language::Portuguese => {
                let unit = if minutes == 1 { "minuto" } else { "minutos" };
                format!(
                    "Com atraso de {minutes} {unit}: isto aconteceu em {happened} e foi registrado em {recorded}."
                )
            }
        }
    }

    pub(crate) fn next_steps(&self) -> &'static str {
        match self.language {
            Language::English => "What to do next",
            Language::Portuguese => "O que fazer agora",
        }
    }

    pub(crate) fn log_says(&self) -> &'static str {
        match self.language {
            Language::English => "From the log",
            Language::Portuguese => "Do log",
        }
    }

    pub(crate) fn together(&self) -> &'static str {
        match self.language {
            Language::English => "Told together with it",
            Language::Portuguese => "Avisados junto com ele",
        }
    }

    pub(crate) fn and_more(&self, number: usize) -> String {
        format!("{} {number}{}", self.say("and", "e mais"), self.say(" more", ""))
    }

    /// How much there was and when, and the alert's name.
    pub(crate) fn measure(&self, measure: &Measure<'_>) -> String {
        let Measure { count, organization, alert, .. } = measure;
        let events = match count {
            1 => self.say("event", "evento"),
            _ => self.say("events", "eventos"),
        };
        let (first, last) = (self.time(measure.first), self.time(measure.last));
        let when = match (first == last, self.language) {
            (true, Language::English) => format!("at {last}"),
            (true, Language::Portuguese) => format!("em {last}"),
            (false, Language::English) => format!("from {first} to {last}"),
            (false, Language::Portuguese) => format!("de {first} a {last}"),
        };
        let of = organization.map(|name| format!(", {} {name}", self.say("organization", "organização")));
        let named = self.say("Alert", "Alerta");
        format!("{count} {events} {when}{}. {named} {alert}", of.unwrap_or_default())
    }

    /// That a channel does not deliver, since when and why, and what it did not deliver.
    pub(crate) fn trouble(&self, channel: &str, since: Timestamp, reason: &str, missing: &str) -> Words {
        let since = self.time(since);
        match self.language {
            Language::English => Words {
                title: format!("The alert channel '{channel}' does not deliver"),
                what: format!("Since {since} it takes no alert: {reason}. Not delivered: {missing}."),
                why: "Whoever is told over that channel does not know of these alerts.".to_owned(),
                next: vec![
                    format!("Try it: log-sentinel alerts send-test {channel}"),
                    "See each attempt: log-sentinel alerts deliveries".to_owned(),
                ],
            },
            Language::Portuguese => Words {
                title: format!("O canal de alertas '{channel}' não está entregando"),
                what: format!(
                    "Desde {since} ele não aceita nenhum alerta: {reason}. Não entregues: {missing}."
                ),
                why: "Quem é avisado por esse canal não sabe desses alertas.".to_owned(),
                next: vec![
                    format!("Teste-o: log-sentinel alerts send-test {channel}"),
                    "Veja cada tentativa: log-sentinel alerts deliveries".to_owned(),
                ],
            },
        }
    }

    /// That a channel delivers again.
    pub(crate) fn trouble_is_over(&self, channel: &str, from: Timestamp, to: Timestamp) -> Words {
        let (from, to) = (self.time(from), self.time(to));
        let (title, what) = match self.language {
            Language::English => (
                format!("The alert channel '{channel}' delivers again"),
                format!("It did not from {from} to {to}."),
            ),
            Language::Portuguese => (
                format!("O canal de alertas '{channel}' voltou a entregar"),
                format!("Ele não entregou de {from} a {to}."),
            ),
        };
        Words { title, what, ..Words::default() }
    }

    /// What a test of a channel says.
    pub(crate) fn test(&self) -> Words {
        let next = self.say("Nothing needs to be done.", "Não é preciso fazer nada.");
        Words {
            title: self
                .say("Log Sentinel tries this channel", "O Log Sentinel está testando este canal")
                .to_owned(),
            what: self
                .say(
                    "Somebody asked for a test. Nothing has happened.",
                    "Alguém pediu um teste. Nada aconteceu.",
                )
                .to_owned(),
            why: self.say("An alert would arrive in this way.", "Um alerta chegaria deste modo.").to_owned(),
            next: vec![next.to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn both_languages_say_the_same_in_their_own_way() {
        let english = Voice::default();
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let portuguese = Voice { language: Language::Portuguese, zone };
        let (noon, later) = (at("2024-05-01T12:00:00Z"), at("2024-05-01T12:30:00Z"));
        let measure = |voice: &Voice, count, last, organization| {
            voice.measure(&Measure { count, first: noon, last, organization, alert: "7f" })
        };
        for (said, expected) in [
            (english.time(noon), "2024-05-01 12:00:00 (UTC)"),
            (portuguese.time(noon), "01/05/2024 09:00:00 (America/Sao_Paulo)"),
            (english.with_others("x", 0), "x"),
            (english.with_others("x", 1), "x (and 1 more)"),
            (portuguese.with_others("x", 48), "x (e mais 48)"),
            (english.and_more(3), "and 3 more"),
            (portuguese.and_more(3), "e mais 3"),
            (measure(&english, 1, noon, None), "1 event at 2024-05-01 12:00:00 (UTC). Alert 7f"),
            (
                measure(&english, 5, later, Some("acme")),
                "5 events from 2024-05-01 12:00:00 (UTC) to 2024-05-01 12:30:00 (UTC), organization acme. Alert 7f",
            ),
            (
                measure(&portuguese, 1, noon, Some("acme")),
                "1 evento em 01/05/2024 09:00:00 (America/Sao_Paulo), organização acme. Alerta 7f",
            ),
            (
                measure(&portuguese, 5, later, None),
                "5 eventos de 01/05/2024 09:00:00 (America/Sao_Paulo) a 01/05/2024 09:30:00 (America/Sao_Paulo). \
                 Alerta 7f",
            ),
            (
                english.late(1, noon, later),
                "Delayed by 1 minute: this happened at 2024-05-01 12:00:00 (UTC) and was recorded at 2024-05-01 \
                 12:30:00 (UTC).",
            ),
            (
                portuguese.late(30, noon, later),
                "Com atraso de 30 minutos: isto aconteceu em 01/05/2024 09:00:00 (America/Sao_Paulo) e foi registrado \
                 em 01/05/2024 09:30:00 (America/Sao_Paulo).",
            ),
        ] {
            assert_eq!(said, expected);
        }
        for occasion in Occasion::ALL {
            for severity in Level::ALL {
                let marks = [&english, &portuguese].map(|voice| voice.mark(*occasion, *severity));
                assert!(marks.iter().all(|mark| mark.starts_with('[') && mark.ends_with(']')), "{marks:?}");
            }
        }
        let trouble = portuguese.trouble("email", noon, "535", "[ALTA] x");
        assert!(
            trouble.what.contains("09:00:00")
                && trouble.what.contains("535")
                && trouble.what.contains("[ALTA] x")
        );
        assert!(
            [&trouble, &portuguese.test(), &portuguese.trouble_is_over("email", noon, later)]
                .iter()
                .all(|words| !words.title.is_empty() && words.title.len() <= Words::TITLE_MAX)
        );
    }
}

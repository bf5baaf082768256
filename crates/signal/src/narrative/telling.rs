//! What a narrative says of any signal: who, from where, when, how often, put into words of the reader's language.

use event::Timestamp;
use finding::{EntityType, fact};
use serde_json::Value;

use super::{
    exposure::{Exposure, Place},
    reader::{History, Language, Reader},
};
use crate::Signal;

/// One text in the reader's language. Both stand side by side, so that they say the same.
macro_rules! say {
    ($telling:expr, $english:literal, $portuguese:literal $(,)?) => {
        match $telling.reader.language {
            $crate::narrative::reader::Language::English => format!($english),
            $crate::narrative::reader::Language::Portuguese => format!($portuguese),
        }
    };
}
pub(super) use say;

/// Names that a list shows; of more it says how many.
const NAMES: usize = 4;
const QUOTATIONS: usize = 3;
/// Characters of a name, of a name in a title, and of a quotation.
const NAME: usize = 64;
const TITLE_NAME: usize = 24;
const QUOTATION: usize = 160;
/// Characters of a title.
const TITLE: usize = 80;

/// A signal that is being told to a reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) signal: &'a Signal,
    pub(super) reader: &'a Reader,
}

impl<'a> Telling<'a> {
    /// The first entity of a type, if its name is not empty.
    pub(super) fn entity(&self, of: EntityType) -> Option<&'a str> {
        self.entities(of).next()
    }

    /// All entities of a type.
    pub(super) fn entities(&self, of: EntityType) -> impl Iterator<Item = &'a str> {
        let entities = self.signal.entities.iter();
        entities
            .filter(move |entity| entity.r#type == of && !entity.value.is_empty())
            .map(|e| e.value.as_str())
    }

    /// What it is mainly about.
    pub(super) fn main(&self) -> Option<&'a str> {
        self.signal.entities.first().map(|entity| entity.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The address it is about, if it is one.
    pub(super) fn place(&self) -> Option<Place> {
        self.entity(EntityType::SourceIp).and_then(Place::parse)
    }

    /// The address as a word of a sentence; other text than an address in quotes.
    pub(super) fn address(&self) -> String {
        match self.entity(EntityType::SourceIp) {
            Some(text) => Place::parse(text).map_or_else(|| name(text), |place| place.to_string()),
            None => say!(self, "an unknown address", "um endereço desconhecido"),
        }
    }

    /// The user as a word of a sentence.
    pub(super) fn user(&self) -> Option<String> {
        self.entity(EntityType::User).map(name)
    }

    /// ` on gate`, or nothing where the host is not known.
    pub(super) fn on_host(&self) -> String {
        let Some(host) = self.entity(EntityType::Host).map(name) else { return String::new() };
        say!(self, " on {host}", " em {host}")
    }

    /// The same for a title.
    pub(super) fn on_host_in_title(&self) -> String {
        let Some(host) = self.entity(EntityType::Host).map(short) else { return String::new() };
        say!(self, " on {host}", " em {host}")
    }

    /// The service as a word of a sentence.
    pub(super) fn service(&self) -> Option<String> {
        let service = self.entity(EntityType::Service)?;
        Some(if service == "ssh" { "SSH".to_owned() } else { name(service) })
    }

    /// A fact that is a number.
    pub(super) fn number(&self, fact: &str) -> Option<u64> {
        self.signal.facts.get(fact)?.as_u64()
    }

    /// A fact that is a text.
    pub(super) fn text(&self, fact: &str) -> Option<&'a str> {
        self.signal.facts.get(fact)?.as_str().filter(|text| !text.is_empty())
    }

    /// A fact that is a time.
    pub(super) fn time(&self, fact: &str) -> Option<Timestamp> {
        self.text(fact).and_then(|text| Timestamp::parse(text).ok())
    }

    /// A fact that is yes or no.
    pub(super) fn is(&self, fact: &str) -> Option<bool> {
        self.signal.facts.get(fact)?.as_bool()
    }

    /// Whether it came to what was tried. A login that an earlier run of the signal knew of counts, too.
    pub(super) fn has_succeeded(&self) -> bool {
        let login = self.time(fact::LOGIN_AT).is_some_and(|at| at >= self.signal.first);
        login || self.is(fact::SUCCEEDED) == Some(true)
    }

    /// A fact that is a list of texts.
    pub(super) fn list(&self, fact: &str) -> Vec<&'a str> {
        let list = self.signal.facts.get(fact).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
    }

    /// A list in words, shortened: `a, b, c and 12 more`. `total` says how many there are where more are known of than
    /// are listed.
    pub(super) fn names(&self, list: &[&str], total: Option<u64>) -> String {
        let listed = list.len() as u64;
        let is_cut = list.len() >= fact::LIST_MAX;
        let total = total.unwrap_or(listed).max(listed);
        let shown: Vec<String> = list.iter().take(NAMES).map(|text| name(text)).collect();
        let more = total - shown.len() as u64;
        let joined = shown.join(", ");
        match (more, shown.split_last()) {
            (_, None) => String::new(),
            (0, Some((last, []))) => last.clone(),
            (0, Some((last, others))) => {
                let others = others.join(", ");
                say!(self, "{others} and {last}", "{others} e {last}")
            }
            _ if is_cut => {
                say!(self, "{joined} and at least {more} more", "{joined} e pelo menos mais {more}")
            }
            _ => say!(self, "{joined} and {more} more", "{joined} e mais {more}"),
        }
    }

    /// What others wrote, each in quotes, shortened as [`Telling::names`] does.
    pub(super) fn quotations(&self, list: &[&str]) -> String {
        let shown: Vec<String> = list.iter().take(QUOTATIONS).map(|text| quotation(text)).collect();
        let (joined, more) = (shown.join("; "), list.len() - shown.len());
        match more {
            0 => joined,
            _ if list.len() >= fact::LIST_MAX => {
                say!(self, "{joined} and at least {more} more", "{joined} e pelo menos mais {more}")
            }
            _ => say!(self, "{joined} and {more} more", "{joined} e mais {more}"),
        }
    }

    /// The first few of what others wrote, each in quotes.
    pub(super) fn quoted_names(&self, list: &[&str]) -> String {
        list.iter().take(NAMES).map(|text| quoted(text, NAME)).collect::<Vec<_>>().join(", ")
    }

    /// A number with what it counts, in each language with its singular.
    pub(super) fn counted(&self, number: u64, english: [&str; 2], portuguese: [&str; 2]) -> String {
        let words = match self.reader.language {
            Language::English => english,
            Language::Portuguese => portuguese,
        };
        let word = if number == 1 { words[0] } else { words[1] };
        format!("{number} {word}")
    }

    /// `5 times`, `once`.
    pub(super) fn times(&self, number: u64) -> String {
        match number {
            1 => say!(self, "once", "uma vez"),
            _ => say!(self, "{number} times", "{number} vezes"),
        }
    }

    /// What somebody has to know of an address before doing something about it.
    pub(super) fn exposure(&self) -> Option<String> {
        let place = self.place()?;
        Some(match place.exposure() {
            Exposure::Internet => say!(
                self,
                "{place} is an address of the internet, so the service can be reached from outside.",
                "{place} é um endereço da internet; logo, o serviço pode ser acessado de fora.",
            ),
            Exposure::Private => say!(
                self,
                "{place} is a private address: whoever it is comes from your own network, a VPN or a gateway.",
                "{place} é um endereço privado: quem quer que seja vem da sua própria rede, de uma VPN ou de um gateway.",
            ),
            Exposure::Loopback => say!(
                self,
                "{place} is the host itself: a local program, a proxy or a tunnel stands behind it.",
                "{place} é o próprio host: por trás dele há um programa local, um proxy ou um túnel.",
            ),
        })
    }

    /// What came before about the same, where somebody asked.
    pub(super) fn history(&self) -> Option<String> {
        self.reader.history.map(|history| self.before(history))
    }

    fn before(&self, history: History) -> String {
        let about = self.main().map_or_else(|| say!(self, "this", "isto"), name);
        if history.count == 0 {
            return say!(
                self,
                "No earlier signal about {about} is known.",
                "Não há sinal anterior conhecido sobre {about}.",
            );
        }
        let last = history.last.map(|last| self.at(last));
        let last = last
            .map_or_else(String::new, |last| say!(self, ", the latest {last}", ", o mais recente {last}"));
        let said = match history.count {
            1 => say!(
                self,
                "There was one earlier signal about {about}{last}",
                "Já houve um sinal anterior sobre {about}{last}"
            ),
            count => say!(
                self,
                "There were {count} earlier signals about {about}{last}",
                "Já houve {count} sinais anteriores sobre {about}{last}",
            ),
        };
        match (history.expected.min(history.count), history.count) {
            (0, _) => format!("{said}."),
            (_, 1) => say!(self, "{said}; it was called expected.", "{said}; ele foi marcado como esperado."),
            (expected, count) if expected == count => say!(
                self,
                "{said}; all of them were called expected.",
                "{said}; todos foram marcados como esperados."
            ),
            (1, _) => say!(
                self,
                "{said}; one of them was called expected.",
                "{said}; um deles foi marcado como esperado."
            ),
            (expected, _) => say!(
                self,
                "{said}; {expected} of them were called expected.",
                "{said}; {expected} deles foram marcados como esperados.",
            ),
        }
    }

    /// A title within its bound.
    pub(super) fn title(&self, title: &str) -> String {
        cut(title, TITLE)
    }
}

/// Sentences one behind the other.
pub(super) fn sentences(all: impl IntoIterator<Item = Option<String>>) -> String {
    all.into_iter().flatten().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A name of others as a word of a sentence: as it is where it looks like one, else in quotes.
pub(super) fn name(text: &str) -> String {
    if is_plain(text) { cut(text, NAME) } else { quoted(text, NAME) }
}

/// A name of others for a title.
pub(super) fn short(text: &str) -> String {
    match text.chars().count().checked_sub(TITLE_NAME) {
        // Of a path, the end says most.
        Some(more @ 1..) if is_plain(text) && text.starts_with('/') => {
            ['…'].into_iter().chain(text.chars().skip(more + 1)).collect()
        }
        _ if is_plain(text) => cut(text, TITLE_NAME),
        _ => quoted(text, TITLE_NAME),
    }
}

/// What others wrote, in quotes.
pub(super) fn quotation(text: &str) -> String {
    // A full stop stands behind the quotes already.
    quoted(text.trim().trim_end_matches('.'), QUOTATION)
}

/// Whether a text looks like a name, and cannot be taken for a part of a sentence.
fn is_plain(text: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "._@:/+-".contains(c);
    !text.is_empty() && text.chars().all(of_name) && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Nothing in it steers a terminal, is unseen, or ends the quotes.
pub(super) fn quoted(text: &str, characters: usize) -> String {
    let text = cut(text, characters).replace('"', "'");
    format!("\"{}\"", telemetry::clean::line(&text))
}

/// So many characters, the last of them an ellipsis where more were there.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters.saturating_sub(1)).chain(['…']).collect(),
    }
}

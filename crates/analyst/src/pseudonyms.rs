//! Names of people, machines and addresses, and secrets, taken out of a text before it leaves, and put back into what is
//! said of it.

use std::net::IpAddr;

use finding::{Entity, EntityType};
use mask::Mask;

/// Names that are remembered of one signal; later ones of the same sort share the last.
const NAMES_MAX: usize = 200;
/// So many digits, apart from single blanks, dots and hyphens between them, may be a card, an account or a telephone.
const DIGITS_MIN: usize = 9;
/// Shorter names of users and machines are left in texts: they are parts of ordinary words.
const NAME_CHARS_MIN: usize = 3;

/// Stands for names while a text is away: the same name always the same word, such as `user-1` or `address-2`.
#[derive(Debug, Default)]
pub struct Pseudonyms {
    /// The name, and what stands for it.
    names: Vec<(String, String)>,
    mask: Mask,
}

impl Pseudonyms {
    /// Knowing whom a signal and its story are about.
    pub fn of<'e>(entities: impl IntoIterator<Item = &'e Entity>) -> Self {
        let mut own = Self::default();
        for entity in entities {
            let sort = match entity.r#type {
                EntityType::SourceIp => "address",
                EntityType::User => "user",
                EntityType::Host => "host",
                EntityType::Service | EntityType::Process | EntityType::Template => continue,
            };
            own.stand_for(sort, &entity.value);
        }
        own
    }

    /// What stands for a name.
    fn stand_for(&mut self, sort: &str, name: &str) -> String {
        if let Some((_, word)) = self.names.iter().find(|(known, _)| known == name) {
            return word.clone();
        }
        let number = self.names.iter().filter(|(_, word)| word.starts_with(sort)).count();
        let word = format!("{sort}-{}", number.min(NAMES_MAX) + 1);
        if self.names.len() < NAMES_MAX {
            self.names.push((name.to_owned(), word.clone()));
        }
        word
    }

    /// A text without secrets, and with names in other words.
    pub fn hide(&mut self, text: &str) -> String {
        let text = self.mask.text(text);
        let text = self.known(&text);
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"'<>()[]{},;=|".contains(c)) {
            let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"'<>()[]{},;=|".contains(c));
            out.push_str(&self.word(word));
            out.push_str(&piece[word.len()..]);
        }
        digits(&out)
    }

    /// Names that are known already, wherever they stand by themselves.
    fn known(&self, text: &str) -> String {
        let mut names: Vec<_> =
            self.names.iter().filter(|(name, _)| name.chars().count() >= NAME_CHARS_MIN).collect();
        // A longer name may hold a shorter one.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        while let Some(c) = text[at..].chars().next() {
            let before = text[..at].chars().next_back();
            let starts = !before.is_some_and(is_of_name);
            let found = names.iter().find(|(name, _)| {
                let rest = &text[at..];
                starts
                    && rest.starts_with(name.as_str())
                    && !rest[name.len()..].chars().next().is_some_and(is_of_name)
            });
            match found {
                Some((name, word)) => {
                    out.push_str(word);
                    at += name.len();
                }
                None => {
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }

    /// A word that shows by its form that it is an address of a machine or of a person.
    fn word(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        let tail = &word[bare.len()..];
        if let Some((user, domain)) = bare.rsplit_once('@')
            && !user.is_empty()
            && domain.contains('.')
        {
            return self.stand_for("mail", bare) + tail;
        }
        if bare.parse::<IpAddr>().is_ok() {
            return self.stand_for("address", bare) + tail;
        }
        // With a port, or a prefix: 192.0.2.7:443, 192.0.2.0/24.
        if let Some(at) = bare.find([':', '/'])
            && bare[..at].parse::<IpAddr>().is_ok()
        {
            return self.stand_for("address", &bare[..at]) + &word[at..];
        }
        if let Some((scheme, rest)) = word.split_once("://") {
            let end = rest.find(['/', ':', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            let host = host.rsplit('@').next().unwrap_or(host);
            let sort = if host.parse::<IpAddr>().is_ok() { "address" } else { "host" };
            return format!("{scheme}://{}{path}", self.stand_for(sort, host));
        }
        word.to_owned()
    }

    /// A text in which the names stand again for which other words stood.
    pub fn reveal(&self, text: &str) -> String {
        let mut words: Vec<_> = self.names.iter().collect();
        // `user-12` before `user-1`.
        words.sort_by_key(|(_, word)| std::cmp::Reverse(word.len()));
        words.iter().fold(text.to_owned(), |text, (name, word)| text.replace(word.as_str(), name))
    }
}

/// The text without long numbers.
fn digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begins) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..begins]);
        rest = &rest[begins..];
        if let Some(day) = rest.get(..DAY.len()).filter(|day| is_day(day)) {
            out.push_str(day);
            rest = &rest[DAY.len()..];
            continue;
        }
        let (mut end, mut count, mut was_digit) = (0, 0, false);
        for (at, c) in rest.char_indices() {
            let is_digit = c.is_ascii_digit();
            if !(is_digit || was_digit && matches!(c, ' ' | '-')) {
                break;
            }
            if is_digit {
                (end, count) = (at + 1, count + 1);
            }
            was_digit = is_digit;
        }
        out.push_str(if count >= DIGITS_MIN { "[number]" } else { &rest[..end] });
        rest = &rest[end..];
    }
    out + rest
}

/// How a day is written, which is no number of anybody.
const DAY: &str = "0000-00-00";

fn is_day(text: &str) -> bool {
    text.bytes()
        .zip(DAY.bytes())
        .all(|(byte, of_day)| byte == of_day && byte == b'-' || of_day == b'0' && byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_a_signal() -> Pseudonyms {
        Pseudonyms::of(&[
            Entity::new(EntityType::SourceIp, "203.0.113.7"),
            Entity::new(EntityType::User, "maria"),
            Entity::new(EntityType::Host, "web-1"),
        ])
    }

    #[test]
    fn secrets_and_names_do_not_leave() {
        for (text, expected) in [
            (
                "Failed password for maria from 203.0.113.7 port 22",
                "Failed password for user-1 from address-1 port 22",
            ),
            ("marianne is somebody else", "marianne is somebody else"),
            ("web-1 asks 198.51.100.4:443, 2001:db8::1", "host-1 asks address-2:443, address-3"),
            ("mail to Ana.Souza@example.org.", "mail to mail-1."),
            ("card 4111 1111 1111 1111 of +55 11 98765-4321", "card [number] of +[number]"),
            ("2026-03-01 10:00:00 went", "2026-03-01 10:00:00 went"),
            ("GET https://intra.example/a?b=1", "GET https://host-2/a?b=1"),
        ] {
            assert_eq!(of_a_signal().hide(text), expected);
        }
        for (text, secret) in [
            ("login password=hunter22secret ok", "hunter22secret"),
            ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
            ("postgres://app:s3cr3t!@db/x", "s3cr3t!"),
        ] {
            let hidden = of_a_signal().hide(text);
            assert!(!hidden.contains(secret), "{hidden}");
        }
    }

    #[test]
    fn what_is_said_of_it_has_the_names_again() {
        let mut names = of_a_signal();
        let hidden = names.hide("maria at 203.0.113.7 and 192.0.2.1");
        assert_eq!(names.reveal(&hidden), "maria at 203.0.113.7 and 192.0.2.1");
    }

    proptest! {
        #[test]
        fn no_address_and_no_known_name_is_left(before in "[ -~]{0,20}", ip in any::<[u8; 4]>(), after in "[ -~]{0,20}") {
            let address = IpAddr::from(ip).to_string();
            let hidden = of_a_signal().hide(&format!("{before} {address} maria {after}"));
            prop_assert!(!hidden.contains(&format!(" {address} ")), "{}", hidden);
            prop_assert!(!hidden.contains(" maria "), "{}", hidden);
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let mut names = of_a_signal();
            let hidden = names.hide(&text);
            names.reveal(&hidden);
        }
    }
}

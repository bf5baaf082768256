//! From the text of a value to the test that suits the kind of its field.

use std::{net::IpAddr, ops::Bound};

use event::{EventId, FieldKind, Severity, Timestamp, ecs, field};

use super::{
    Clock, Expression, Query, Test, Wildcard, field::label, matches::address_number, text::lowered, time,
};

/// One of the signs `>=`, `>`, `<=`, `<`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
}

/// A field, for which values become tests. Refusals are texts that say what was expected.
pub(crate) struct Typed<'p> {
    pub(crate) path: &'p str,
    pub(crate) kind: FieldKind,
    pub(crate) clock: &'p Clock,
}

/// The end of a range as written, and whether it belongs to the range.
type End<'b> = Option<(&'b str, bool)>;

impl Typed<'_> {
    fn test(&self, test: Test) -> Result<Query, String> {
        Ok(Query::Field { path: self.path.to_owned(), test })
    }

    fn searchable(&self) -> Result<(), String> {
        match self.path {
            field::ORIGINAL => Err(format!("{} is kept but not searched; search message", field::ORIGINAL)),
            _ => Ok(()),
        }
    }

    pub(crate) fn exists(&self) -> Result<Query, String> {
        self.searchable()?;
        if self.path == field::ID {
            return Ok(Query::All);
        }
        self.test(Test::Exists)
    }

    pub(crate) fn equals(&self, text: &str) -> Result<Query, String> {
        self.searchable()?;
        if self.path == field::ID {
            let id: EventId = text.parse().map_err(|error| format!("'{}' is {error}", short(text)))?;
            return self.test(Test::Equals { text: id.to_string(), ignore_case: false });
        }
        match self.kind {
            FieldKind::Label => self.test(match self.number(text) {
                Ok(number) => Test::Number { number, text: text.to_owned() },
                Err(_) => Test::Equals { text: text.to_owned(), ignore_case: false },
            }),
            FieldKind::Text | FieldKind::Keyword => {
                self.test(Test::Equals { text: text.to_owned(), ignore_case: false })
            }
            FieldKind::Enumeration => {
                let text = match Severity::from_name(text) {
                    Some(severity) if self.path == field::LEVEL => severity.as_str().to_owned(),
                    None if self.path == field::LEVEL => return Err(no_level(text)),
                    _ => lowered(text).into_owned(),
                };
                self.test(Test::Equals { text, ignore_case: true })
            }
            FieldKind::Long | FieldKind::Double => match self.number(text) {
                Ok(number) if self.kind == FieldKind::Double || number.fract() == 0.0 => {
                    self.test(Test::Number { number, text: text.to_owned() })
                }
                Ok(_) => self.unfit(text, format!("{} holds whole numbers", self.path)),
                Err(reason) => self.unfit(text, reason),
            },
            FieldKind::Boolean => match text {
                "true" => self.test(Test::Bool(true)),
                "false" => self.test(Test::Bool(false)),
                _ => self.unfit(text, format!("{} is true or false, never '{}'", self.path, short(text))),
            },
            FieldKind::Date => match self.span(text) {
                Ok((start, end)) => {
                    let end = end.map_or(Bound::Included(start), Bound::Excluded);
                    self.test(Test::TimeRange(Bound::Included(start), end))
                }
                Err(reason) => self.unfit(text, reason),
            },
            FieldKind::Ip => match self.network(text) {
                Ok((first, last)) => self.test(Test::Network { first, last }),
                Err(reason) => self.unfit(text, reason),
            },
        }
    }

    /// A value that does not fit into its field is kept as the label of that name. Fields that this product
    /// fills itself have none.
    fn unfit(&self, text: &str, reason: String) -> Result<Query, String> {
        let is_ours = ecs::known(self.path).is_some_and(|known| known.is_ours)
            || matches!(self.path, field::TIMESTAMP | field::CREATED);
        if is_ours {
            return Err(reason);
        }
        let path = label(self.path);
        Typed { path: &path, kind: FieldKind::Label, clock: self.clock }.equals(text)
    }

    pub(crate) fn wildcard(&self, raw: &str) -> Result<Query, String> {
        self.searchable()?;
        if self.path == field::ID {
            return Err("an _id is given whole, without '*' or '?'".to_owned());
        }
        match self.kind {
            FieldKind::Text | FieldKind::Keyword | FieldKind::Label => {
                self.test(Test::Matches(Wildcard::new(raw, false)))
            }
            FieldKind::Enumeration => self.test(Test::Matches(Wildcard::new(raw, true))),
            FieldKind::Ip => {
                let (first, last) = octets(raw).ok_or_else(|| {
                    format!("in {} a '*' stands for whole parts at the end, as in 192.168.*", self.path)
                })?;
                self.test(Test::Network { first, last })
            }
            FieldKind::Long | FieldKind::Double => {
                Err(format!("{} holds numbers, which take no '*' or '?'; write {}:>=1", self.path, self.path))
            }
            FieldKind::Boolean => Err(format!("{} is true or false and takes no '*' or '?'", self.path)),
            FieldKind::Date => Err(format!(
                "{} holds times, which take no '*' or '?'; write {}:2024-06-01",
                self.path, self.path
            )),
        }
    }

    pub(crate) fn finds(&self, text: &str) -> Result<Query, String> {
        self.searchable()?;
        if !self.kind.holds_text() || self.path == field::ID {
            return Err(format!("a regular expression is found in text, and {} holds none", self.path));
        }
        self.test(Test::Finds(Expression::new(text, self.kind == FieldKind::Enumeration)?))
    }

    pub(crate) fn compare(&self, comparison: Comparison, value: &str) -> Result<Query, String> {
        match comparison {
            Comparison::AtLeast => self.range(Some((value, true)), None),
            Comparison::Above => self.range(Some((value, false)), None),
            Comparison::AtMost => self.range(None, Some((value, true))),
            Comparison::Below => self.range(None, Some((value, false))),
        }
    }

    pub(crate) fn range(&self, from: End<'_>, to: End<'_>) -> Result<Query, String> {
        self.searchable()?;
        if self.path == field::ID {
            return Err("an _id has no order; give whole ids, as in _id:(a OR b)".to_owned());
        }
        match self.kind {
            FieldKind::Text => Err("message is searched by words and has no order".to_owned()),
            FieldKind::Boolean => Err(format!("{} is true or false and has no order", self.path)),
            FieldKind::Enumeration if self.path != field::LEVEL => {
                Err(format!("the values of {} have no order", self.path))
            }
            _ if from.is_none() && to.is_none() => self.exists(),
            FieldKind::Enumeration => self.levels(from, to),
            FieldKind::Keyword => {
                let bound = |end: End<'_>| bound(end.map(|(text, included)| (text.to_owned(), included)));
                self.test(Test::TextRange(bound(from), bound(to)))
            }
            FieldKind::Long | FieldKind::Double | FieldKind::Label => {
                let number = |end: End<'_>| -> Result<Bound<f64>, String> {
                    let end = end.map(|(text, included)| Ok((self.number(text)?, included)));
                    end.transpose().map(bound)
                };
                self.test(Test::NumberRange(number(from)?, number(to)?))
            }
            FieldKind::Date => self.times(from, to),
            FieldKind::Ip => self.addresses(from, to),
        }
    }

    /// A range of levels as the list of those within it.
    fn levels(&self, from: End<'_>, to: End<'_>) -> Result<Query, String> {
        let level = |text: &str| Severity::from_name(text).ok_or_else(|| no_level(text));
        let mut parts = Severity::ALL.to_vec();
        if let Some((text, included)) = from {
            let least = level(text)?;
            parts.retain(|severity| *severity > least || (included && *severity == least));
        }
        if let Some((text, included)) = to {
            let most = level(text)?;
            parts.retain(|severity| *severity < most || (included && *severity == most));
        }
        let parts = parts.into_iter().map(|severity| self.equals(severity.as_str()));
        Ok(Query::or(parts.collect::<Result<_, _>>()?))
    }

    /// A range of times; a day as its end means the whole day.
    fn times(&self, from: End<'_>, to: End<'_>) -> Result<Query, String> {
        let from = match from {
            None => Bound::Unbounded,
            Some((text, included)) => match (self.span(text)?, included) {
                ((start, _), true) => Bound::Included(start),
                ((_, Some(end)), false) => Bound::Included(end),
                ((start, None), false) => Bound::Excluded(start),
            },
        };
        let to = match to {
            None => Bound::Unbounded,
            Some((text, included)) => match (self.span(text)?, included) {
                ((start, _), false) => Bound::Excluded(start),
                ((_, Some(end)), true) => Bound::Excluded(end),
                ((start, None), true) => Bound::Included(start),
            },
        };
        self.test(Test::TimeRange(from, to))
    }

    /// A range of addresses; a network as its end means the whole network.
    fn addresses(&self, from: End<'_>, to: End<'_>) -> Result<Query, String> {
        let first = match from {
            None => Some(0),
            Some((text, included)) => match (self.network(text)?, included) {
                ((first, _), true) => Some(first),
                ((_, last), false) => last.checked_add(1),
            },
        };
        let last = match to {
            None => Some(u128::MAX),
            Some((text, included)) => match (self.network(text)?, included) {
                ((_, last), true) => Some(last),
                ((first, _), false) => first.checked_sub(1),
            },
        };
        match (first, last) {
            (Some(first), Some(last)) if first <= last => self.test(Test::Network { first, last }),
            _ => Ok(Query::nothing()),
        }
    }

    fn number(&self, text: &str) -> Result<f64, String> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let plain = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
        let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
        let holds =
            if self.kind == FieldKind::Label { "has an order among numbers only" } else { "holds numbers" };
        number.ok_or_else(|| format!("{} {holds}, and '{}' is none", self.path, short(text)))
    }

    fn span(&self, text: &str) -> Result<(Timestamp, Option<Timestamp>), String> {
        time::span(text, self.clock).map_err(|error| error.to_string())
    }

    fn network(&self, text: &str) -> Result<(u128, u128), String> {
        network(text).ok_or_else(|| {
            format!(
                "{} holds addresses; '{}' is none, and no network such as 10.0.0.0/8",
                self.path,
                short(text)
            )
        })
    }
}

fn bound<T>(end: Option<(T, bool)>) -> Bound<T> {
    match end {
        None => Bound::Unbounded,
        Some((value, true)) => Bound::Included(value),
        Some((value, false)) => Bound::Excluded(value),
    }
}

/// So much of a value as an error may repeat.
fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// First and last address of `10.0.0.1`, `10.0.0.0/8`, `::1` or `2001:db8::/32`.
fn network(text: &str) -> Option<(u128, u128)> {
    let (address, prefix) = match text.split_once('/') {
        None => (text.parse::<IpAddr>().ok()?, None),
        Some((address, prefix)) => {
            let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
            (address.parse::<IpAddr>().ok()?, Some(digits.then(|| prefix.parse::<u32>().ok()).flatten()?))
        }
    };
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let free = bits.checked_sub(prefix.unwrap_or(bits))?;
    let mask = 1u128.checked_shl(free).map_or(u128::MAX, |power| power - 1);
    let number = address_number(address);
    Some((number & !mask, number | mask))
}

/// First and last address of `192.168.*`, `10.*.*.*` or `2001:db8:*`.
fn octets(raw: &str) -> Option<(u128, u128)> {
    let separator = if raw.contains(':') { ':' } else { '.' };
    let parts = if separator == ':' { 8 } else { 4 };
    let given: Vec<&str> = raw.split(separator).collect();
    let fixed = given.iter().take_while(|part| **part != "*").count();
    if given.len() > parts || fixed == given.len() || given[fixed..].iter().any(|part| *part != "*") {
        return None;
    }
    let fill = |filler: &str| {
        let all: Vec<&str> = (0..parts).map(|at| if at < fixed { given[at] } else { filler }).collect();
        all.join(&separator.to_string()).parse::<IpAddr>().ok().map(address_number)
    };
    let (lowest, highest) = if separator == ':' { ("0", "ffff") } else { ("0", "255") };
    Some((fill(lowest)?, fill(highest)?))
}

fn no_level(text: &str) -> String {
    format!(
        "'{}' is no level; they are trace, debug, info, warn, error and fatal, and what else came is in labels.level",
        short(text)
    )
}

//! A query as text that parses back to the same tree.

use std::{
    fmt::{self, Display as _},
    net::Ipv6Addr,
    ops::Bound,
};

use super::{Phrase, Query, Test, TokenPattern};

impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => out.write_str("*"),
            Self::Message(phrase) => phrase.fmt(out),
            Self::Field { path, test } => {
                name(out, path)?;
                out.write_str(":")?;
                test.fmt(out)
            }
            Self::And(parts) if parts.is_empty() => out.write_str("*"),
            Self::And(parts) => {
                joined(out, parts, " AND ", |part| matches!(part, Self::Or(_) | Self::And(_)))
            }
            Self::Or(parts) if parts.is_empty() => out.write_str("NOT *"),
            Self::Or(parts) => joined(out, parts, " OR ", |part| matches!(part, Self::Or(_))),
            Self::Not(part) => {
                out.write_str("NOT ")?;
                enclosed(out, part, matches!(**part, Self::And(_) | Self::Or(_)))
            }
        }
    }
}

fn joined(
    out: &mut fmt::Formatter<'_>,
    parts: &[Query],
    separator: &str,
    enclose: impl Fn(&Query) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.write_str(separator)?;
        }
        enclosed(out, part, enclose(part))?;
    }
    Ok(())
}

fn enclosed(out: &mut fmt::Formatter<'_>, part: &Query, enclose: bool) -> fmt::Result {
    if enclose { write!(out, "({part})") } else { part.fmt(out) }
}

/// A field name, in quotes when a character would end it.
fn name(out: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    let first = path.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '@'));
    match first && path.chars().all(|character| character.is_alphanumeric() || "_.@-/".contains(character)) {
        true => out.write_str(path),
        false => quoted(out, path),
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Within quotes nothing is a wildcard, so a phrase that has one is written as one word.
        let wild = self.0.iter().any(|pattern| matches!(pattern, TokenPattern::Wildcard(_)));
        let quote = if !wild && self.0.len() > 1 { "\"" } else { "" };
        out.write_str(quote)?;
        for (at, pattern) in self.0.iter().enumerate() {
            if at > 0 {
                out.write_str(if wild { "." } else { " " })?;
            }
            out.write_str(match pattern {
                TokenPattern::Exact(token) => token,
                TokenPattern::Wildcard(wildcard) => &wildcard.text,
            })?;
        }
        out.write_str(quote)
    }
}

impl fmt::Display for Test {
    /// As it stands behind `field:`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => out.write_str("*"),
            Self::Equals { text, .. } | Self::Number { text, .. } => value(out, text),
            Self::OneOf(texts) => {
                for (at, text) in texts.iter().enumerate() {
                    out.write_str(if at == 0 { "(" } else { " OR " })?;
                    value(out, text)?;
                }
                out.write_str(")")
            }
            Self::Bool(value) => value.fmt(out),
            Self::Matches(wildcard) => out.write_str(&wildcard.text),
            Self::Finds(expression) => write!(out, "~\"{}\"", expression.text()),
            Self::Network { first, last } => network(out, *first, *last),
            Self::NumberRange(from, to) => range(out, from, to),
            Self::TimeRange(from, to) => range(out, from, to),
            Self::TextRange(from, to) => range(out, from, to),
        }
    }
}

fn range<T: fmt::Display>(out: &mut fmt::Formatter<'_>, from: &Bound<T>, to: &Bound<T>) -> fmt::Result {
    let end = |out: &mut fmt::Formatter<'_>, bound: &Bound<T>| match bound {
        Bound::Included(end) | Bound::Excluded(end) => value(out, &end.to_string()),
        Bound::Unbounded => out.write_str("*"),
    };
    out.write_str(if matches!(from, Bound::Excluded(_)) { "{" } else { "[" })?;
    end(out, from)?;
    out.write_str(" TO ")?;
    end(out, to)?;
    out.write_str(if matches!(to, Bound::Excluded(_)) { "}" } else { "]" })
}

/// A value, in quotes unless it is plainly one word.
fn value(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let first = text.starts_with(|first: char| first.is_alphanumeric() || matches!(first, '_' | '/' | '-'));
    let plain =
        first && text.chars().all(|character| character.is_alphanumeric() || "_./@:+-".contains(character));
    // What begins so makes text of all before it.
    let is_address = text.starts_with("//");
    if plain && !is_address && !["AND", "OR", "NOT", "TO"].contains(&text) {
        return out.write_str(text);
    }
    quoted(out, text)
}

fn quoted(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.write_str("\\")?;
        }
        write!(out, "{character}")?;
    }
    out.write_str("\"")
}

fn network(out: &mut fmt::Formatter<'_>, first: u128, last: u128) -> fmt::Result {
    let (from, to) = (Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(last));
    let size = last.wrapping_sub(first).wrapping_add(1);
    let aligned = (first == 0 && last == u128::MAX) || (size.is_power_of_two() && first & (size - 1) == 0);
    // 2^128 wraps to 0, which has 128 trailing zeros.
    let free = if size == 0 { 128 } else { size.trailing_zeros() };
    match (from.to_ipv4_mapped(), to.to_ipv4_mapped()) {
        (Some(address), _) if first == last => write!(out, "{address}"),
        (None, _) if first == last => write!(out, "{from}"),
        (Some(address), Some(_)) if aligned => write!(out, "{address}/{}", 32 - free),
        (Some(from), Some(to)) => write!(out, "[{from} TO {to}]"),
        (None, _) if aligned => write!(out, "{from}/{}", 128 - free),
        (from4, to4) => {
            let text =
                |v4: Option<std::net::Ipv4Addr>, v6: Ipv6Addr| v4.map_or(v6.to_string(), |v4| v4.to_string());
            write!(out, "[{} TO {}]", text(from4, from), text(to4, to))
        }
    }
}

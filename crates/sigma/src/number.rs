//! Numbers: whole ones exactly, others as floating point.

use std::cmp::Ordering;

/// A number of a rule or of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// What a plain scalar of YAML is, by its core schema.
    pub(crate) fn of_yaml(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if let Some(digits) = text.strip_prefix("0x") {
            return i64::from_str_radix(digits, 16).ok().map(Self::Integer);
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return i64::from_str_radix(digits, 8).ok().map(Self::Integer);
        }
        let is_number = digits.bytes().any(|byte| byte.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        if is_number { Self::of_text(text) } else { None }
    }

    /// A number written in decimal, as events carry it.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        // `inf` and `nan` are no numbers of a log.
        if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
            return None;
        }
        match text.parse() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Self::Float),
        }
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

/// How a number is held against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Equal,
            "neq" => Self::NotEqual,
            "lt" => Self::Less,
            "lte" => Self::LessOrEqual,
            "gt" => Self::Greater,
            "gte" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    pub(crate) fn holds(self, left: Number, right: Number) -> bool {
        let Some(order) = left.compare(right) else { return false };
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_yaml_and_of_text() {
        let is = |text: &str| Number::of_yaml(text).map(Number::as_f64);
        for (text, number) in [
            ("4625", Some(4625.0)),
            ("-7", Some(-7.0)),
            ("1.5", Some(1.5)),
            ("0x1f", Some(31.0)),
            ("0o17", Some(15.0)),
            ("1e3", Some(1000.0)),
            ("1.2.3", None),
            ("nan", None),
            ("-", None),
            ("e", None),
            ("", None),
        ] {
            assert_eq!(is(text), number, "{text}");
        }
        assert!(Number::of_text("inf").is_none());
    }

    #[test]
    fn large_whole_numbers_are_compared_exactly() {
        let (a, b) = (Number::Integer(i64::MAX), Number::Integer(i64::MAX - 1));
        assert!(Comparison::Greater.holds(a, b));
        assert!(!Comparison::Equal.holds(a, b));
        assert!(Comparison::Equal.holds(Number::Integer(5), Number::Float(5.0)));
    }
}

//! The modifiers behind a field's name.

use crate::{encoding::Encoding, error::Reason, number::Comparison, pattern::Placement, time_part::TimePart};

/// How a regular expression is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ExpressionFlags {
    pub(crate) ignore_case: bool,
    pub(crate) multi_line: bool,
    pub(crate) dot_matches_new_line: bool,
}

/// What the values are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Equality, or a text in its place.
    Text(Placement),
    Expression(ExpressionFlags),
    Network,
    Exists,
    Compare(Comparison),
    Time(TimePart, Comparison),
    /// Another field of the same event.
    Field(Placement),
}

/// All modifiers of one field.
#[derive(Debug, Clone)]
pub(crate) struct Modifiers {
    pub(crate) operator: Operator,
    /// Every value has to fit, not any.
    pub(crate) all: bool,
    pub(crate) cased: bool,
    /// The field has to be there and no value may fit.
    pub(crate) negated: bool,
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) dashes: bool,
    pub(crate) placeholders: bool,
}

/// The modifiers as they are met, before it is known what they are together.
#[derive(Default)]
struct Met<'a> {
    placement: Option<(&'a str, Placement)>,
    /// `re`, `cidr`, `exists` or `fieldref`.
    kind: Option<&'a str>,
    flags: ExpressionFlags,
    flag: Option<&'a str>,
    comparison: Option<(&'a str, Comparison)>,
    time: Option<(&'a str, TimePart)>,
    /// A modifier that changes a text.
    change: Option<&'a str>,
}

fn put<'a, T>(slot: &mut Option<(&'a str, T)>, name: &'a str, value: T) -> Result<(), Reason> {
    match slot.replace((name, value)) {
        Some((before, _)) => Err(conflict(before, name)),
        None => Ok(()),
    }
}

fn conflict(a: &str, b: &str) -> Reason {
    Reason::Modifiers(a.to_owned(), b.to_owned())
}

impl Modifiers {
    /// Reads what stands behind the field's name, split at `|`.
    pub(crate) fn parse<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, Reason> {
        let mut met = Met::default();
        let mut modifiers = Self {
            operator: Operator::Text(Placement::Whole),
            all: false,
            cased: false,
            negated: false,
            encodings: vec![],
            dashes: false,
            placeholders: false,
        };
        for name in names {
            modifiers.take(name, &mut met)?;
        }
        modifiers.operator = met.operator(&modifiers)?;
        Ok(modifiers)
    }

    fn take<'a>(&mut self, name: &'a str, met: &mut Met<'a>) -> Result<(), Reason> {
        match name {
            "all" => self.all = true,
            "cased" => self.cased = true,
            "neq" => self.negated = true,
            "contains" => put(&mut met.placement, name, Placement::Contains)?,
            "startswith" => put(&mut met.placement, name, Placement::StartsWith)?,
            "endswith" => put(&mut met.placement, name, Placement::EndsWith)?,
            "re" | "cidr" | "exists" | "fieldref" => {
                if let Some(before) = met.kind.replace(name) {
                    return Err(conflict(before, name));
                }
            }
            "i" | "ignorecase" => (met.flags.ignore_case, met.flag) = (true, Some(name)),
            "m" | "multiline" => (met.flags.multi_line, met.flag) = (true, Some(name)),
            "s" | "dotall" => (met.flags.dot_matches_new_line, met.flag) = (true, Some(name)),
            "windash" => (self.dashes, met.change) = (true, Some(name)),
            "expand" => self.placeholders = true,
            _ => {
                if let Some(encoding) = Encoding::parse(name) {
                    self.encodings.push(encoding);
                    met.change = Some(name);
                } else if let Some(comparison) = Comparison::parse(name).filter(|_| name != "eq") {
                    put(&mut met.comparison, name, comparison)?;
                } else if let Some(part) = TimePart::parse(name) {
                    put(&mut met.time, name, part)?;
                } else {
                    return Err(Reason::UnknownModifier(name.to_owned()));
                }
            }
        }
        Ok(())
    }
}

impl Met<'_> {
    fn operator(&self, modifiers: &Modifiers) -> Result<Operator, Reason> {
        let placement = self.placement.map_or(Placement::Whole, |(_, placement)| placement);
        // What stands alone: nothing of the others has a meaning beside it.
        let others = [
            self.placement.map(|(name, _)| name),
            self.change,
            self.comparison.map(|(name, _)| name),
            self.time.map(|(name, _)| name),
            self.flag.filter(|_| self.kind != Some("re")),
        ];
        let beside = |allowed: Option<usize>| {
            let other =
                others.iter().enumerate().find(|(index, name)| name.is_some() && Some(*index) != allowed);
            other.and_then(|(_, name)| *name)
        };
        if let Some(kind) = self.kind {
            let allowed = (kind == "fieldref").then_some(0);
            if let Some(other) = beside(allowed) {
                return Err(conflict(kind, other));
            }
            return Ok(match kind {
                "re" => Operator::Expression(self.flags),
                "cidr" => Operator::Network,
                "exists" => Operator::Exists,
                _ => Operator::Field(placement),
            });
        }
        if let Some(flag) = self.flag {
            return Err(conflict(flag, "no re"));
        }
        if self.time.is_some() || self.comparison.is_some() {
            let name = self.time.map_or("", |(name, _)| name);
            let name = self.comparison.map_or(name, |(name, _)| name);
            if let Some(other) = self.placement.map(|(name, _)| name).or(self.change) {
                return Err(conflict(name, other));
            }
            let comparison = self.comparison.map_or(Comparison::Equal, |(_, comparison)| comparison);
            return Ok(match self.time {
                Some((_, part)) => Operator::Time(part, comparison),
                None => Operator::Compare(comparison),
            });
        }
        let is_within = modifiers.encodings.iter().any(|encoding| encoding.is_within());
        Ok(Operator::Text(match placement {
            Placement::Whole if is_within => Placement::Contains,
            placement => placement,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_that_go_together() {
        let operator = |text: &str| Modifiers::parse(text.split('|')).map(|modifiers| modifiers.operator);
        let flags = ExpressionFlags { ignore_case: true, multi_line: true, dot_matches_new_line: true };
        for (text, expected) in [
            ("contains", Operator::Text(Placement::Contains)),
            ("wide|base64offset", Operator::Text(Placement::Contains)),
            ("base64offset|contains", Operator::Text(Placement::Contains)),
            ("windash|endswith|cased", Operator::Text(Placement::EndsWith)),
            ("re|i|m|s", Operator::Expression(flags)),
            ("cidr|neq", Operator::Network),
            ("fieldref|startswith", Operator::Field(Placement::StartsWith)),
            ("hour|gte", Operator::Time(TimePart::Hour, Comparison::GreaterOrEqual)),
            ("lt", Operator::Compare(Comparison::Less)),
            ("exists", Operator::Exists),
        ] {
            assert_eq!(operator(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn modifiers_that_do_not() {
        for text in [
            "contians",
            "eq",
            "contains|startswith",
            "re|contains",
            "re|base64",
            "cidr|re",
            "gt|lt",
            "hour|contains",
            "hour|day",
            "i",
            "lt|windash",
            "exists|contains",
            "",
        ] {
            assert!(Modifiers::parse(text.split('|')).is_err(), "{text}");
        }
    }
}

//! What a row shape alone tells of its rows.

use event::{Value, Verdict, field};
use query::{below, is_token_char, rest};

use super::shapes::{Original, Plan, RowShape, Source};

/// What of a field all rows of a shape have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Common<'s> {
    Absent,
    /// The same value.
    Value(Value<'s>),
    /// A value each.
    Differs,
}

impl RowShape {
    /// What all rows have in common of the field at a path.
    pub(super) fn common<'s>(&'s self, path: &str) -> Common<'s> {
        let text = |text: &'s str| Common::Value(Value::from(text));
        let present = |present| if present { Common::Differs } else { Common::Absent };
        match path {
            field::LEVEL => text(self.severity.as_str()),
            field::MESSAGE => Common::Differs,
            field::SERVICE_NAME => match &self.source {
                Source::Absent => Common::Absent,
                Source::Constant(source) => text(source),
                Source::Cell => Common::Differs,
            },
            field::HOST_NAME => present(self.has_host),
            field::ORIGINAL => present(self.original != Original::Absent),
            _ => match self.fields.iter().find(|field| *field.path == *path) {
                Some(field) => match &field.plan {
                    Plan::Constant(value) => Common::Value(value.clone()),
                    _ => Common::Differs,
                },
                None => match path {
                    field::ID | field::TIMESTAMP | field::CREATED | field::ANOMALY_SCORE => Common::Differs,
                    field::TEMPLATE_ID => {
                        let template = self.template.as_ref();
                        template
                            .map_or(Common::Absent, |template| Common::Value(template.id.to_string().into()))
                    }
                    field::TEMPLATE_TEXT => {
                        self.template.as_ref().map_or(Common::Absent, |found| text(&found.text))
                    }
                    field::ANOMALY_IS_ANOMALY => Common::Value(self.is_anomaly.into()),
                    field::ANOMALY_STATE => text(self.state.as_str()),
                    field::ANOMALY_REASONS => present(self.has_reasons),
                    _ => self.common_below(path),
                },
            },
        }
    }

    /// The same of what objects in a list have at a path.
    fn common_below(&self, path: &str) -> Common<'static> {
        for (at, rest) in self.lists(path) {
            match &self.fields[at].plan {
                Plan::Json => return Common::Differs,
                Plan::Constant(value) => {
                    if let Some(value) = below(value, rest) {
                        return Common::Value(value);
                    }
                }
                _ => {}
            }
        }
        Common::Absent
    }

    /// The fields that may be lists of objects which have something at a path, and the path within those.
    pub(super) fn lists<'p>(&self, path: &'p str) -> impl Iterator<Item = (usize, &'p str)> {
        let fields = if path.starts_with(field::LABELS) { &self.fields[..] } else { &[] };
        fields.iter().enumerate().filter_map(move |(at, field)| Some((at, rest(path, &field.path)?)))
    }

    /// A message as far as a shape knows it: tokens, and holes where slots make unknown ones.
    pub(super) fn pieces(&self) -> Vec<Option<&str>> {
        let mut pieces = Vec::new();
        let (from, to) = (self.message.from, self.message.to);
        for number in from.literal..=to.literal {
            let literal = self.literal(number as usize);
            let start = if number == from.literal { from.offset as usize } else { 0 };
            let end = if number == to.literal { to.offset as usize } else { literal.len() };
            let literal = literal.get(start..end).unwrap_or_default();
            let (hole_before, hole_after) = (number > from.literal, number < to.literal);
            let mut rest = literal;
            let mut at_start = true;
            loop {
                let skip = rest.find(is_token_char).unwrap_or(rest.len());
                at_start &= skip == 0;
                rest = &rest[skip..];
                if rest.is_empty() {
                    break;
                }
                let end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
                let (token, after) = rest.split_at(end);
                rest = after;
                // A token that touches a slot is longer than what is seen of it here.
                let joined = at_start && hole_before || rest.is_empty() && hole_after;
                if !joined {
                    pieces.push(Some(token));
                }
                at_start = false;
            }
            if hole_after {
                pieces.push(None);
            }
        }
        pieces
    }

    /// The shape of a row that has this verdict and is otherwise the same.
    pub(super) fn judged(&self, verdict: &Verdict) -> Self {
        Self {
            state: verdict.state,
            is_anomaly: verdict.is_anomaly,
            has_reasons: !verdict.reasons.is_empty(),
            ..self.clone()
        }
    }
}

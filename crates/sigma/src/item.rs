//! One line of a selection: a field (or none, for keywords), its modifiers and its values.

use regex::RegexBuilder;

use crate::{
    Fields, LogSource, Options, Value,
    encoding::encode,
    error::{Fault, Reason},
    limits::{Budget, EXPRESSION_BYTES_MAX, EXPRESSION_CACHE_BYTES},
    matcher::Matcher,
    modifier::{ExpressionFlags, Modifiers, Operator},
    network::Network,
    number::Number,
    pattern::{Part, Pattern, Placement, parts, with_dashes},
    placeholder::expand,
    yaml::{Node, Yaml, expected_text},
};

/// A test of one field, or of all texts of an event.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// None for keywords.
    pub(crate) field: Option<String>,
    pub(crate) test: Test,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    Exists(bool),
    /// Any of them fits.
    Any(Vec<Matcher>),
    /// Of each of them one fits: the forms of one value.
    All(Vec<Vec<Matcher>>),
    /// The field is there, and none fits.
    None(Vec<Matcher>),
}

/// What is needed to read the items of a rule.
pub(crate) struct Reader<'a> {
    pub(crate) options: &'a Options,
    pub(crate) source: &'a LogSource,
    pub(crate) budget: Budget,
}

impl Item {
    /// Reads a key such as `CommandLine|contains|all` with its values.
    pub(crate) fn parse(key: &str, node: &Node, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut words = key.split('|');
        let name = words.next().unwrap_or_default();
        let modifiers = Modifiers::parse(words).map_err(|reason| Fault::new(node.line, reason))?;
        let field = (!name.is_empty()).then(|| reader.options.field(name, reader.source));
        if modifiers.operator == Operator::Exists {
            return Self::exists(field, node, modifiers.negated);
        }
        Self::of_values(field, node, modifiers, reader)
    }

    /// Reads keywords, which stand in a list without a key.
    pub(crate) fn keyword(node: &Node, reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let modifiers =
            Modifiers::parse(std::iter::empty()).map_err(|reason| Fault::new(node.line, reason))?;
        Self::of_values(None, node, modifiers, reader)
    }

    fn exists(field: Option<String>, node: &Node, negated: bool) -> Result<Self, Fault> {
        let expected = match (&node.value, node.text()) {
            (Yaml::Bool(expected), _) => *expected,
            (_, Some(text)) if text.eq_ignore_ascii_case("true") => true,
            (_, Some(text)) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(Fault::new(node.line, Reason::Expected("true or false"))),
        };
        if field.is_none() {
            return Err(Fault::new(node.line, Reason::Expected("the name of a field")));
        }
        Ok(Self { field, test: Test::Exists(expected != negated) })
    }

    fn of_values(
        field: Option<String>,
        node: &Node,
        mut modifiers: Modifiers,
        reader: &mut Reader<'_>,
    ) -> Result<Self, Fault> {
        // Keywords stand anywhere in a text.
        if let (None, Operator::Text(placement @ Placement::Whole)) = (&field, &mut modifiers.operator) {
            *placement = Placement::Contains;
        }
        let nodes = match &node.value {
            Yaml::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if nodes.is_empty() {
            return Err(Fault::new(node.line, Reason::Expected("at least one value")));
        }
        let mut groups = vec![];
        for node in nodes {
            let matchers = matchers(node, &modifiers, reader)?;
            reader.budget.take_values(matchers.len()).map_err(|reason| Fault::new(node.line, reason))?;
            groups.push(matchers);
        }
        let test = match (modifiers.negated, modifiers.all) {
            (true, _) => Test::None(groups.concat()),
            (false, true) if groups.len() > 1 => Test::All(groups),
            (false, _) => Test::Any(groups.concat()),
        };
        Ok(Self { field, test })
    }

    pub(crate) fn matches(&self, event: &dyn Fields) -> bool {
        let any = |matchers: &[Matcher]| match &self.field {
            Some(field) => event.any(field, &mut |value| fits(matchers, value, event)),
            None => Some(event.any_text(&mut |text| fits(matchers, Value::Text(text), event))),
        };
        let absent = |matchers: &[Matcher]| matchers.iter().any(|matcher| matches!(matcher, Matcher::Null));
        match (&self.test, &self.field) {
            (Test::Exists(expected), Some(field)) => event.any(field, &mut |_| true).is_some() == *expected,
            (Test::Exists(_), None) => false,
            (Test::Any(matchers), _) => any(matchers).unwrap_or_else(|| absent(matchers)),
            (Test::All(groups), _) => {
                groups.iter().all(|matchers| any(matchers).unwrap_or_else(|| absent(matchers)))
            }
            (Test::None(matchers), _) => any(matchers).is_some_and(|fits| !fits),
        }
    }
}

fn fits(matchers: &[Matcher], value: Value<'_>, event: &dyn Fields) -> bool {
    matchers.iter().any(|matcher| matcher.matches(value, event))
}

/// What a value means under its modifiers: more than one test where it has several forms, any of which does.
fn matchers(node: &Node, modifiers: &Modifiers, reader: &mut Reader<'_>) -> Result<Vec<Matcher>, Fault> {
    let fault = |reason| Fault::new(node.line, reason);
    let text = || node.text().ok_or_else(|| expected_text(node));
    let number = || match &node.value {
        Yaml::Number(number, _) => Ok(*number),
        _ => text()
            .ok()
            .and_then(Number::of_text)
            .ok_or_else(|| Fault::new(node.line, Reason::Expected("a number"))),
    };
    let matcher = match modifiers.operator {
        Operator::Text(placement) => return text_matchers(node, placement, modifiers, reader),
        Operator::Expression(flags) => {
            reader.budget.take_expression().map_err(fault)?;
            Matcher::Expression(expression(text()?, flags).map_err(fault)?)
        }
        Operator::Network => {
            let text = text()?;
            let network = Network::parse(text);
            Matcher::Network(network.ok_or_else(|| fault(Reason::Network(text.to_owned())))?)
        }
        Operator::Compare(comparison) => Matcher::Compare(comparison, number()?),
        Operator::Time(part, comparison) => Matcher::Time(part, comparison, number()?),
        Operator::Field(placement) => Matcher::Field {
            name: reader.options.field(text()?, reader.source),
            placement,
            cased: modifiers.cased,
        },
        Operator::Exists => return Err(fault(Reason::Expected("one value"))),
    };
    Ok(vec![matcher])
}

fn text_matchers(
    node: &Node,
    placement: Placement,
    modifiers: &Modifiers,
    reader: &Reader<'_>,
) -> Result<Vec<Matcher>, Fault> {
    let fault = |reason| Fault::new(node.line, reason);
    let is_plain = placement == Placement::Whole && modifiers.encodings.is_empty();
    match &node.value {
        Yaml::Null if is_plain => return Ok(vec![Matcher::Null]),
        Yaml::Bool(expected) if is_plain => return Ok(vec![Matcher::Bool(*expected)]),
        Yaml::Number(number, written) if is_plain => {
            return Ok(vec![Matcher::Number(*number, written.clone())]);
        }
        _ => {}
    }
    let text = node.text().ok_or_else(|| expected_text(node))?;
    let texts = if modifiers.placeholders {
        expand(text, &reader.options.placeholders).map_err(fault)?
    } else {
        vec![parts(text)]
    };
    let mut matchers = vec![];
    for text in texts {
        let forms: Vec<Vec<Part>> = if modifiers.encodings.is_empty() {
            vec![text]
        } else {
            encode(&text, &modifiers.encodings).map_err(fault)?
        };
        matchers.extend(forms.into_iter().map(|form| {
            let form = if modifiers.dashes { with_dashes(form) } else { form };
            Matcher::Text(Pattern::new(form, placement, modifiers.cased))
        }));
    }
    Ok(matchers)
}

fn expression(pattern: &str, flags: ExpressionFlags) -> Result<regex::Regex, Reason> {
    let expression = RegexBuilder::new(pattern)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_matches_new_line)
        .size_limit(EXPRESSION_BYTES_MAX)
        .dfa_size_limit(EXPRESSION_CACHE_BYTES)
        .build()?;
    Ok(expression)
}

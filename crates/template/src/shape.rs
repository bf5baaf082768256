//! A message's shape: its literal text and the kinds of its variables, as one number.

use std::sync::Arc;

use event::{Template, Variable, VariableKind};

use crate::{
    groups::{Group, Sought},
    hash::Hash,
};

/// Where a message belongs.
#[derive(Debug, Clone)]
pub struct Mined {
    /// Hash of the literal text around the variables and of their kinds; the same everywhere.
    pub shape: u64,
    /// The template.
    pub template: Arc<Template>,
    /// First message of this template.
    pub is_new: bool,
}

/// The shape of a whole message as one text.
pub(crate) fn whole(message: &str, variables: &mut Vec<Variable>) -> u64 {
    let end = message.len().min(u32::MAX as usize) as u32;
    variables.push(Variable { kind: VariableKind::Text, start: 0, end });
    hash_of(message, &variables[variables.len() - 1..])
}

/// The shape in which every wildcard of the template is a text: for templates with too many shapes.
pub(crate) fn coarse(
    message: &str,
    sought: &Sought,
    group: &Group,
    from: usize,
    variables: &mut Vec<Variable>,
) -> u64 {
    variables.truncate(from);
    if sought.tokens.len() != group.tokens.len() {
        return whole(message, variables);
    }
    for (token, pattern) in sought.tokens.iter().zip(&group.tokens) {
        if pattern.wild {
            variables.push(Variable { kind: VariableKind::Text, start: token.start, end: token.end });
        }
    }
    hash_of(message, &variables[from..])
}

/// The hash of a message's literal text and variable kinds, as [`scan`] computes it on its way.
pub(crate) fn hash_of(message: &str, variables: &[Variable]) -> u64 {
    let (bytes, mut literal, mut hash) = (message.as_bytes(), 0, Hash::new());
    for variable in variables {
        hash.text(bytes.get(literal..variable.start as usize).unwrap_or_default());
        hash.number(variable.kind as u64);
        literal = variable.end as usize;
    }
    hash.text(bytes.get(literal..).unwrap_or_default());
    hash.finish()
}

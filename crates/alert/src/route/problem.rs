//! What is wrong with a file of routes, and where.

/// Something in a file of routes that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}, {place}: {reason}")]
pub struct RouteProblem {
    /// Its line, from 1.
    pub line: usize,
    /// What it belongs to, such as `routes[0].to`.
    pub place: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// `; did you mean 'x'?` for the name that is most like this one; nothing where none is.
pub(crate) fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let name = name.to_lowercase();
    let distances = known.into_iter().map(|known| (strsim::damerau_levenshtein(&name, known), known));
    match distances.min() {
        Some((distance, known)) if distance <= 1 + known.len() / 4 => format!("; did you mean '{known}'?"),
        _ => String::new(),
    }
}

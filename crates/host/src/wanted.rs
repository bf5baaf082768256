//! What is to be looked at.

/// Which of those there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Nothing,
    /// All that people watch.
    #[default]
    Everything,
    /// Those of these names.
    These(Vec<String>),
}

impl Wanted {
    /// The names, where they are named.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::These(names) => names,
            Self::Nothing | Self::Everything => &[],
        }
    }
}

//! What is wrong with the settings.

/// What is wrong with the settings; every problem found, not just the first.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct SettingsError {
    /// One sentence each, naming the setting, where it was set and what would be right.
    pub problems: Vec<String>,
}

impl SettingsError {
    fn describe(&self) -> String {
        let mut text = String::from("the settings are not usable:");
        for problem in &self.problems {
            text.push_str("\n  - ");
            text.push_str(problem);
        }
        text
    }
}

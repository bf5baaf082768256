//! The text of `.env.sample`.

use super::table::SETTINGS;

/// The text of `.env.sample`: every setting with its default, commented out.
pub(crate) fn sample() -> String {
    let mut text = String::from(
        "# Settings of Log Sentinel. Copy to .env and uncomment what you want to change.\n\
         # Flags (--addr) come first, then the environment, then .env, then log-sentinel.yaml (addr: …).\n\
         # A secret can also be read from a file: API_KEYS_FILE=/run/secrets/api_keys.\n",
    );
    for setting in SETTINGS {
        text.push('\n');
        for line in wrap(setting.help, 110) {
            text.push_str(&format!("# {line}\n"));
        }
        let default =
            if setting.default == "{state}" { "~/.local/state/log-sentinel" } else { setting.default };
        text.push_str(&format!("#{}={default}\n", setting.name));
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_sample_is_the_list_of_settings() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.sample");
        let found = std::fs::read_to_string(path).unwrap();
        assert_eq!(found, sample(), "run `log-sentinel check --sample > .env.sample`");
    }
}

//! Tokens that show by their form what they are, such as `ghp_…`. Prefixes as their issuers document them.

/// What stands in the place of a secret.
pub const MASKED: &str = "********";

/// Shorter words are no token.
pub(crate) const SHORTEST: usize = 20;

/// What tokens of these issuers begin with: AWS, GitHub, GitLab, Slack, OpenAI and those who took its form, Stripe, Google, npm,
/// PyPI, DigitalOcean, HashiCorp Vault, JSON web tokens.
const BEGINNINGS: &[&str] = &[
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "sk-",
    "sk_live_",
    "rk_live_",
    "AIza",
    "npm_",
    "pypi-",
    "dop_v1_",
    "hvs.",
    "eyJ",
];

/// The text with every token in it replaced.
pub(crate) fn mask(text: &str) -> String {
    if text.len() < SHORTEST {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !is_of_token(c)) {
        let word = piece.trim_end_matches(|c: char| !is_of_token(c));
        if is_token(word) {
            out.push_str(MASKED);
            out.push_str(piece.get(word.len()..).unwrap_or(""));
        } else {
            out.push_str(piece);
        }
    }
    out
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn is_token(word: &str) -> bool {
    word.len() >= SHORTEST
        && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        && word.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_by_their_form() {
        assert_eq!(mask("key=AKIAIOSFODNN7EXAMPLE,next"), "key=********,next");
        assert_eq!(mask("ghp_0123456789abcdefghij0123456789abcdef"), MASKED);
        assert_eq!(mask("skeleton-of-a-house-with-two-doors"), "skeleton-of-a-house-with-two-doors");
        assert_eq!(mask("/usr/lib/systemd/systemd-journald"), "/usr/lib/systemd/systemd-journald");
    }
}

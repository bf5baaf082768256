//! Secrets in what programs are called with, made unreadable before it is stored or sent. It knows the ways in which people
//! write secrets on command lines: an option and its value, `NAME=value`, a URL with a password, an HTTP header, and tokens that
//! show by their form what they are.
//!
//! It never fails and never gives back a part of what it masked, not even its length. It cannot know a secret that looks like
//! any other word.

mod token;

pub use token::MASKED;

/// Parts of names whose values are secret. A name is compared in lower case, without `-`, `_` and `.`.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "sessionid",
    "connectionstring",
    "sas",
];
/// Names that hold such a part and whose values say where a secret is, or something about it.
const OPEN_NAMES: &[&str] =
    &["file", "path", "dir", "type", "length", "policy", "expiry", "url", "uri", "name"];
/// Programs whose `-p` is followed by the password itself, without a blank.
const ATTACHED_PASSWORD: &[&str] =
    &["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin", "sshpass"];
/// Short options that are followed by a name and a password, `NAME:PASSWORD`.
const USER_AND_PASSWORD: &[(&str, &str)] = &[
    ("curl", "-u"),
    ("curl", "--user"),
    ("curl", "-U"),
    ("curl", "--proxy-user"),
    ("http", "-a"),
    ("ab", "-A"),
];

/// Which names hold secrets: those that are known everywhere, and those of one's own.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    own: Vec<String>,
}

impl Mask {
    /// With parts of names whose values are secret too, in any case, such as `license-key`.
    #[must_use]
    pub fn with_names<Name: AsRef<str>>(names: impl IntoIterator<Item = Name>) -> Self {
        Self {
            own: names.into_iter().map(|name| plain(name.as_ref())).filter(|name| !name.is_empty()).collect(),
        }
    }

    /// The arguments of a program, its own name first, with secrets replaced by [`MASKED`].
    #[must_use]
    pub fn arguments<Argument: AsRef<str>>(&self, arguments: &[Argument]) -> Vec<String> {
        let program = arguments.first().map_or("", |first| base_name(first.as_ref()));
        let mut masked = Vec::with_capacity(arguments.len());
        let mut next_is_secret = Next::Open;
        for (place, argument) in arguments.iter().map(AsRef::as_ref).enumerate() {
            let expected = std::mem::replace(&mut next_is_secret, Next::Open);
            masked.push(match expected {
                Next::Secret if !argument.starts_with("--") => MASKED.to_owned(),
                Next::Password => after_colon(argument),
                _ if place == 0 => self.text(argument),
                _ => {
                    next_is_secret = self.after(program, argument);
                    self.argument(program, argument)
                }
            });
        }
        masked
    }

    /// Any text, such as a line of a log or a whole command line, with secrets replaced by [`MASKED`].
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        if !may_hold_secret(text) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut next_is_secret = false;
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end();
            let blank = piece.get(word.len()..).unwrap_or("");
            // `Authorization: Bearer x`: the scheme stays, so that the next word is the one that is masked.
            let scheme = matches!(
                word.to_ascii_lowercase().as_str(),
                "bearer" | "basic" | "digest" | "token" | ":" | "="
            );
            if next_is_secret && !word.is_empty() && !scheme {
                out.push_str(MASKED);
                next_is_secret = false;
            } else {
                out.push_str(&self.argument("", word));
                next_is_secret = match word.strip_suffix([':', '=']) {
                    Some(name) => self.is_secret(
                        name.rsplit(['"', '\'', '{', ',', '(']).find(|part| !part.is_empty()).unwrap_or(name),
                    ),
                    None if scheme => next_is_secret || matches!(word, "Bearer" | "bearer" | "Basic"),
                    None if word.is_empty() => next_is_secret,
                    // `--password=x` has its value with it.
                    None => word.starts_with("--") && !word.contains('=') && self.is_secret(word),
                };
            }
            out.push_str(blank);
        }
        out
    }

    /// Whether the values of a name are secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        let name = plain(name);
        let known = SECRET_NAMES.iter().any(|part| match *part {
            // Too short to be looked for within other names.
            "pwd" | "sas" => name == *part,
            _ => name.contains(part),
        });
        (known && !OPEN_NAMES.iter().any(|end| name.ends_with(end)))
            || self.own.iter().any(|own| name.contains(own.as_str()))
    }

    fn after(&self, program: &str, argument: &str) -> Next {
        if USER_AND_PASSWORD.contains(&(program, argument)) {
            Next::Password
        } else if argument.starts_with('-') && !argument.contains('=') && self.is_secret(argument)
            || (program == "sshpass" && argument == "-p")
        {
            Next::Secret
        } else {
            Next::Open
        }
    }

    fn argument(&self, program: &str, argument: &str) -> String {
        if ATTACHED_PASSWORD.contains(&program) && argument.len() > 2 && argument.starts_with("-p") {
            return format!("-p{MASKED}");
        }
        if let Some((name, value)) = argument.split_once('=')
            && !value.is_empty()
            && !name.contains("://")
            && self.is_secret(name)
        {
            return format!("{name}={MASKED}");
        }
        if let Some((name, value)) = argument.split_once(':')
            && !value.is_empty()
            && !value.starts_with("//")
            && self.is_secret(name)
        {
            // A header as one argument: `Authorization: Bearer x`.
            return format!("{name}: {MASKED}");
        }
        token::mask(&self.in_url(argument))
    }

    /// Passwords before the host of a URL, and secret parameters behind its `?`.
    fn in_url(&self, text: &str) -> String {
        let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
        let end = rest.find(['/', '?', '#', '"', '\'']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = match authority.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((name, _)) => format!("{name}:{MASKED}@{host}"),
                None => authority.to_owned(),
            },
            None => authority.to_owned(),
        };
        let path = match path.split_once('?') {
            Some((path, query)) => {
                let parameters: Vec<String> = query
                    .split('&')
                    .map(|parameter| match parameter.split_once('=') {
                        Some((name, _)) if self.is_secret(name) => format!("{name}={MASKED}"),
                        _ => parameter.to_owned(),
                    })
                    .collect();
                format!("{path}?{}", parameters.join("&"))
            }
            None => path.to_owned(),
        };
        format!("{scheme}://{authority}{path}")
    }
}

/// What is known of the argument behind one.
enum Next {
    Open,
    Secret,
    /// A name, a colon, a password.
    Password,
}

fn after_colon(argument: &str) -> String {
    match argument.split_once(':') {
        Some((name, _)) => format!("{name}:{MASKED}"),
        None => argument.to_owned(),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Cheap: most texts hold nothing that could stand before a secret, and no token.
fn may_hold_secret(text: &str) -> bool {
    text.contains(['=', ':', '@'])
        || text.contains("--")
        || text.split_whitespace().any(|word| word.len() >= token::SHORTEST)
        || text.contains("earer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        let arguments: Vec<&str> = text.split(' ').collect();
        Mask::default().arguments(&arguments).join(" ")
    }

    #[test]
    fn secrets_of_options_and_their_values_are_masked() {
        for (called, shown) in [
            ("psql --password=hunter2 -h db", "psql --password=******** -h db"),
            ("tool --api-key abcd --verbose", "tool --api-key ******** --verbose"),
            ("tool --token --verbose", "tool --token --verbose"),
            ("mysql -uroot -phunter2 shop", "mysql -uroot -p******** shop"),
            ("ssh -p 2222 host", "ssh -p 2222 host"),
            ("sshpass -p hunter2 ssh host", "sshpass -p ******** ssh host"),
            ("curl -u anna:hunter2 http://host/", "curl -u anna:******** http://host/"),
            ("env PGPASSWORD=hunter2 psql", "env PGPASSWORD=******** psql"),
            ("tool --password-file /etc/secret", "tool --password-file /etc/secret"),
            (
                "java -Dspring.datasource.password=x -jar a.jar",
                "java -Dspring.datasource.password=******** -jar a.jar",
            ),
        ] {
            assert_eq!(line(called), shown);
        }
    }

    #[test]
    fn secrets_in_urls_and_headers_are_masked() {
        for (called, shown) in [
            ("git clone https://anna:hunter2@host/a.git", "git clone https://anna:********@host/a.git"),
            ("redis-cli -u redis://:hunter2@host:6379/0", "redis-cli -u redis://:********@host:6379/0"),
            ("curl http://host/a?access_token=abc&page=2", "curl http://host/a?access_token=********&page=2"),
            ("git clone https://host:8443/a.git", "git clone https://host:8443/a.git"),
        ] {
            assert_eq!(line(called), shown);
        }
        let header =
            Mask::default().arguments(&["curl", "-H", "Authorization: Bearer abc.def", "http://host/"]);
        assert_eq!(header, ["curl", "-H", "Authorization: ********", "http://host/"]);
    }

    #[test]
    fn texts_are_masked_word_by_word() {
        for (text, shown) in [
            ("connect with password=hunter2 to db", "connect with password=******** to db"),
            ("header Authorization: Bearer abc.def sent", "header Authorization: Bearer ******** sent"),
            ("{\"password\": \"hunter2\"} taken", "{\"password\": ******** taken"),
            (
                "Failed password for root from 192.0.2.7 port 50022",
                "Failed password for root from 192.0.2.7 port 50022",
            ),
            ("at 12:00:00 user anna logged in", "at 12:00:00 user anna logged in"),
            ("dump --password=x --token y ls", "dump --password=******** --token ******** ls"),
        ] {
            assert_eq!(Mask::default().text(text), shown);
        }
    }

    #[test]
    fn names_of_ones_own_count_too() {
        let mask = Mask::with_names(["License-Key"]);
        assert_eq!(mask.arguments(&["tool", "--license-key=abc"]), ["tool", "--license-key=********"]);
        assert!(!Mask::default().is_secret("license-key"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail_and_no_value_of_a_secret_name_is_left(text in ".{0,200}", value in "[a-z0-9]{12,20}") {
            let mask = Mask::default();
            proptest::prop_assert!(mask.text(&text).len() <= 10 * text.len().max(1));
            for called in [format!("--password={value}"), format!("DB_PASSWORD={value}"), format!("https://a:{value}@h/")] {
                proptest::prop_assert!(!mask.text(&called).contains(&value));
                proptest::prop_assert!(!mask.arguments(&["tool", called.as_str()]).concat().contains(&value));
            }
            proptest::prop_assert!(!mask.arguments(&["tool", "--secret", value.as_str()]).concat().contains(&value));
        }
    }
}

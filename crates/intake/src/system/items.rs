//! What stands in a file, item by item: what it is told apart by, whether it is the same, and what may be shown of it.

use std::collections::{BTreeMap, HashMap};

use mask::Mask;

use super::kind::Kind;

/// Items of one file that are told apart; what stands behind them is one.
const ITEMS_MAX: usize = 10_000;
/// What is shown of one.
const SHOWN_BYTES_MAX: usize = 400;
/// How lines with keys name their type.
const KEY_TYPES: [&str; 4] = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];

/// One line, user, group, member or key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The same as long as it is the same.
    pub(super) hash: u64,
    /// What may be shown of it.
    pub(super) shown: String,
    /// The number of a user or group.
    pub(super) number: Option<u32>,
}

/// The items of a text, by what they are told apart by.
pub(super) fn of(kind: &Kind, text: &str) -> BTreeMap<String, Item> {
    let mut items = BTreeMap::new();
    let mut put = |key: String, same: &str, shown: String, number| {
        let key = if items.len() < ITEMS_MAX { key } else { "…".to_owned() };
        items.insert(key, Item { hash: hash(same), shown: cut(shown), number });
    };
    match kind {
        Kind::Passwd => text.lines().for_each(|line| {
            if let [name, _, id, group, rest @ ..] = line.split(':').collect::<Vec<_>>().as_slice()
                && !name.is_empty()
                && !name.starts_with(['+', '-', '#'])
            {
                let (home, shell) = (rest.get(1).unwrap_or(&""), rest.get(2).unwrap_or(&""));
                let shown = format!("id {id}, group {group}, home {home}, shell {shell}");
                put((*name).to_owned(), &format!("{id}:{group}:{}", rest.join(":")), shown, id.parse().ok());
            }
        }),
        Kind::Group => text.lines().for_each(|line| {
            if let [name, _, id, members] = line.split(':').collect::<Vec<_>>().as_slice()
                && !name.is_empty()
                && !name.starts_with(['+', '-', '#'])
            {
                put((*name).to_owned(), id, format!("id {id}"), id.parse().ok());
                for member in members.split(',').map(str::trim).filter(|member| !member.is_empty()) {
                    put(format!("{name}/{member}"), "", String::new(), None);
                }
            }
        }),
        Kind::Sudoers => joined(text).iter().for_each(|line| {
            let is_directive = line.starts_with("#include");
            if is_directive || !line.starts_with('#') {
                put(digest(line), "", masked_words(line), None);
            }
        }),
        Kind::Table => joined(text).iter().filter(|line| !line.starts_with('#')).for_each(|line| {
            put(digest(line), "", masked(line), None);
        }),
        Kind::Script => put(String::new(), text, String::new(), None),
        Kind::Preload => joined(text).iter().filter(|line| !line.starts_with('#')).for_each(|line| {
            put(digest(line), "", masked(line), None);
        }),
        Kind::Unit => {
            let lines = joined(text);
            let said: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !is_comment(line)).collect();
            let started: Vec<String> = said.iter().filter_map(|line| started(line).map(masked)).collect();
            put(String::new(), &said.join("\n"), started.join("; "), None);
        }
        Kind::AtStart => put(String::new(), text, String::new(), None),
        Kind::Keys { .. } => text.lines().for_each(|line| {
            if let Some((options, kind, key, comment)) = key(line) {
                let with =
                    if options.is_empty() { String::new() } else { format!(" with {}", masked(options)) };
                let comment = if comment.is_empty() { "without a comment" } else { comment };
                put(digest(key), &format!("{options} {comment}"), format!("{kind}, {comment}{with}"), None);
            }
        }),
    }
    items
}

/// Options, type, key and comment of a line with a key; None for anything else.
fn key(line: &str) -> Option<(&str, &str, &str, &str)> {
    let line = line.trim();
    let is_type = |word: &str| KEY_TYPES.iter().any(|start| word.starts_with(start));
    let mut start = 0;
    let mut is_quoted = false;
    // Options have no blanks but within quotes.
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' if at == 0 || line.as_bytes()[at - 1] != b'\\' => is_quoted = !is_quoted,
            b' ' | b'\t' if !is_quoted => {
                let word = &line[start..at];
                if is_type(word) {
                    let rest = line[at..].trim_start();
                    let (key, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
                    return (!line.starts_with('#'))
                        .then(|| (line[..start].trim(), word, key, comment.trim()));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Lines that are not empty, those joined that end with a backslash.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    let mut goes_on = false;
    for line in text.lines() {
        let (part, continues) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(part),
            None => lines.push(part.to_owned()),
        }
        goes_on = continues;
    }
    let trimmed = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    trimmed.filter(|line| !line.is_empty()).collect()
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

/// What a line of a unit has started, or when: `ExecStart=/bin/x`, `OnCalendar=daily`.
fn started(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let is_command = name.starts_with("Exec");
    let says = is_command || (name.starts_with("On") && !name.starts_with("OnFailure"));
    (says && !value.is_empty()).then_some(if is_command { value.trim() } else { line })
}

/// Without secrets.
fn masked(line: &str) -> String {
    Mask::default().text(line)
}

/// Without secrets within words: `NOPASSWD:` has none behind it.
fn masked_words(line: &str) -> String {
    line.split(' ').map(masked).collect::<Vec<_>>().join(" ")
}

/// Users with their homes, of the text of `passwd`.
pub(super) fn homes(passwd: &str) -> impl Iterator<Item = (&str, &str)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (user, home) = (fields.next()?, fields.nth(4)?);
        (home.starts_with('/') && !user.is_empty()).then_some((user, home))
    })
}

/// The names of users by their numbers, of the items of `passwd`.
pub(super) fn names(items: &BTreeMap<String, Item>) -> HashMap<u32, String> {
    items.iter().filter_map(|(name, item)| Some((item.number?, name.clone()))).collect()
}

fn hash(text: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(bytes)
}

/// What a line is told apart by that must not be kept as it is.
fn digest(text: &str) -> String {
    format!("{:016x}", hash(text))
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(SHOWN_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &Kind, text: &str) -> Vec<(String, String)> {
        of(kind, text).into_iter().map(|(key, item)| (key, item.shown)).collect()
    }

    #[test]
    fn passwords_keys_and_secrets_are_in_no_item() {
        let kinds = [
            Kind::Passwd,
            Kind::Group,
            Kind::Sudoers,
            Kind::Table,
            Kind::Script,
            Kind::Keys { user: "ann".to_owned() },
            Kind::Unit,
            Kind::Preload,
            Kind::AtStart,
        ];
        let text = "ann:$6$Geheim:1000:1000:Ann:/home/ann:/bin/sh\n\
                    adm:$6$Geheim:4:ann\n\
                    DB_PASSWORD=Geheim\n\
                    0 4 * * * root dump --password=Geheim --token Geheim https://ann:Geheim@db/x\n\
                    from=\"10.0.0.1\" ssh-ed25519 AAAAGeheim ann@laptop\n";
        for kind in kinds {
            for (key, shown) in shown(&kind, text) {
                let is_told = matches!(kind, Kind::Table | Kind::Sudoers | Kind::Preload);
                let is_by_word = kind == Kind::Sudoers && shown.contains("--token");
                let of_other = is_told && (shown.contains("$6$") || shown.contains("AAAA") || is_by_word);
                assert!(of_other || !(key.clone() + &shown).contains("Geheim"), "{kind:?} {key} {shown}");
            }
        }
        for line in ["%wheel ALL=(ALL) NOPASSWD: ALL", "* * * * * root curl http://a/b:c"] {
            assert_eq!(masked_words(line), line);
        }
    }

    #[test]
    fn a_password_that_changes_is_no_change() {
        let before = of(&Kind::Passwd, "ann:x:1000:1000::/home/ann:/bin/sh\n");
        assert_eq!(before, of(&Kind::Passwd, "ann:$6$new:1000:1000::/home/ann:/bin/sh\n"));
        let other = of(&Kind::Passwd, "ann:x:0:1000::/home/ann:/bin/sh\n");
        assert_ne!(before["ann"].hash, other["ann"].hash);
        assert_eq!(names(&before)[&1000], "ann");
        assert_eq!(
            homes("ann:x:1:1::/home/ann:/bin/sh\nno:x:1:1::none:\n").collect::<Vec<_>>(),
            [("ann", "/home/ann")]
        );
    }

    #[test]
    fn a_unit_says_what_it_starts_and_comments_are_no_change() {
        let unit = "# made by hand\n[Service]\nExecStart=/usr/bin/x --password=Geheim\n  --more\nExecStop=\nUser=root\n[Timer]\nOnCalendar=daily\n";
        let items = of(&Kind::Unit, unit);
        assert_eq!(items[""].shown, "/usr/bin/x --password=********; OnCalendar=daily");
        assert_eq!(items, of(&Kind::Unit, &unit.replace("by hand", "anew")));
        assert_ne!(items[""].hash, of(&Kind::Unit, &unit.replace("User=root", "User=ann"))[""].hash);
        let libraries = of(&Kind::Preload, "# none\n/lib/a.so\n");
        assert_eq!(libraries.into_values().map(|item| item.shown).collect::<Vec<_>>(), ["/lib/a.so"]);
    }

    #[test]
    fn keys_are_told_by_type_comment_and_options() {
        let keys = Kind::Keys { user: "ann".to_owned() };
        let text = "# a comment ssh-rsa AAAA x\n\
                    ssh-ed25519 AAAAC3 ann@laptop\n\
                    command=\"say \\\"ssh-rsa no\\\"\",no-pty ecdsa-sha2-nistp256 AAAAE2 backup key\n\
                    sk-ssh-ed25519@openssh.com AAAAG\nnot a key\n";
        let mut all: Vec<_> = shown(&keys, text).into_iter().map(|(_, shown)| shown).collect();
        all.sort();
        assert_eq!(
            all,
            [
                "ecdsa-sha2-nistp256, backup key with command=\"say \\\"ssh-rsa no\\\"\",no-pty",
                "sk-ssh-ed25519@openssh.com, without a comment",
                "ssh-ed25519, ann@laptop",
            ]
        );
    }

    #[test]
    fn lines_go_on_and_comments_are_none() {
        let text = "# nothing\n\nann ALL=(ALL) \\\n   ALL\n#includedir /etc/sudoers.d\n@include x\n";
        let mut all: Vec<_> = shown(&Kind::Sudoers, text).into_iter().map(|(_, shown)| shown).collect();
        all.sort();
        assert_eq!(all, ["#includedir /etc/sudoers.d", "@include x", "ann ALL=(ALL) ALL"]);
        let many: String =
            (0..ITEMS_MAX + 10).map(|number| format!("* * * * * ann echo {number}\n")).collect();
        assert_eq!(of(&Kind::Table, &many).len(), ITEMS_MAX + 1);
        assert!(
            of(&Kind::Table, &"x".repeat(10_000))
                .into_values()
                .all(|item| item.shown.len() <= SHOWN_BYTES_MAX)
        );
    }
}

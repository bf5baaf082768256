//! `.env`: read from the working directory or one above it. What is wrong with it is told by line and kind,
//! never by content: most lines of such a file hold secrets.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The pairs of `.env`; none where there is no such file.
///
/// # Errors
/// When it cannot be read or is not of its form.
pub(super) fn read() -> Result<BTreeMap<String, String>, String> {
    let cannot = |path: &Path, error: io::Error| format!("cannot read {}: {error}", path.display());
    let here = std::env::current_dir().map_err(|error| cannot(Path::new(".env"), error))?;
    let found: Option<PathBuf> =
        here.ancestors().map(|folder| folder.join(".env")).find(|candidate| candidate.is_file());
    let Some(path) = found else { return Ok(BTreeMap::new()) };
    let bytes = fs::read(&path).map_err(|error| cannot(&path, error))?;
    parse(&bytes).map_err(|problem| format!("cannot read {}: {problem}", path.display()))
}

/// The pairs that bytes hold.
///
/// # Errors
/// What is wrong, with its line.
pub(crate) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let pairs = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>();
    pairs.map_err(|error| match error {
        dotenvy::Error::LineParse(content, _) => {
            // A line or the value in it, the first time that it occurs: the lines before it were good. One whose
            // quote is not closed reaches to the end.
            let (all, wrong) = (text.trim_end(), content.trim_end());
            let to_the_end = all.ends_with(wrong).then(|| all.len() - wrong.len());
            let before = to_the_end.or(text.find(wrong)).unwrap_or_default();
            let number = text[..before].bytes().filter(|byte| *byte == b'\n').count();
            let line = text.lines().nth(number).unwrap_or_default();
            format!("line {} {}", number + 1, what_is_wrong(line))
        }
        _ => "it is not of the form NAME=value".to_owned(),
    })
}

fn what_is_wrong(line: &str) -> &'static str {
    let is_name = |name: &str| {
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
    };
    match line.split_once('=') {
        None => "is not of the form NAME=value",
        Some((name, _)) if !is_name(name) => "does not begin with a name of letters, digits and _",
        Some((_, value)) if value.matches('"').count() % 2 == 1 || value.matches('\'').count() % 2 == 1 => {
            "has a quote that is not closed"
        }
        Some(_) => "has a value that must stand in single quotes: it holds a blank, a quote, $ or \\",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_line_and_never_repeated() {
        for (line, expected) in [
            ("API_KEYS=hunter2 hunter2", "line 3 has a value"),
            ("API_KEYS=\"hunter2", "line 3 has a quote"),
            ("API_KEYS='hunter2", "line 3 has a quote"),
            ("API_KEYS=\"", "line 3 has a quote"),
            ("hunter2", "line 3 is not of the form"),
            ("hunter2 hunter2=x", "line 3 does not begin"),
            ("API_KEYS=\"hunter2\\q\"", "line 3 has a value"),
        ] {
            let problem = parse(format!("# a file\nA=\"hunter\"\n{line}\nB=2\n").as_bytes()).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("hunter"), "{line}: {problem}");
        }
        let problem = parse(b"A=1\nB=hunter2\xff\n").unwrap_err();
        assert_eq!(problem, "line 2 is not UTF-8");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        let pairs = parse("\u{feff}API_KEYS=a\nB='b c'\n".as_bytes()).unwrap();
        assert_eq!(pairs["API_KEYS"], "a");
        assert_eq!(pairs["B"], "b c");
    }

    #[test]
    fn a_line_is_told_by_what_is_wrong_with_it() {
        let (name, quote) =
            ("does not begin with a name of letters, digits and _", "has a quote that is not closed");
        let value = "has a value that must stand in single quotes: it holds a blank, a quote, $ or \\";
        for (line, expected) in [
            ("word", "is not of the form NAME=value"),
            ("=x", name),
            ("a-b=x", name),
            ("export A.b_1=x y", value),
            ("A=x y", value),
            ("A=\"x", quote),
            ("A='x", quote),
            ("A='x\"", quote),
            ("A=\"x\" 'y'", value),
            ("A=\"\"\"", quote),
        ] {
            assert_eq!(what_is_wrong(line), expected, "{line}");
        }
    }
}

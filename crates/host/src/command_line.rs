//! Command lines without the secrets in them: every process shows its own to everybody on the machine, and what is kept
//! elsewhere should not.

use mask::Mask;

/// Longest command line kept, in bytes.
const BYTES_MAX: usize = 512;
/// More arguments are not looked at.
const ARGUMENTS_MAX: usize = 256;

/// A command line as `/proc/PID/cmdline` has it, its words apart by zeros, as text with its secrets masked. Control
/// characters become blanks; what is longer than 512 bytes is cut.
pub fn masked(command_line: &[u8], mask: &Mask) -> String {
    let words = command_line.split(|byte| *byte == 0).filter(|word| !word.is_empty()).take(ARGUMENTS_MAX);
    // What is cut of one is no longer told to be a secret by its form, so it is cut well behind what is shown.
    let words: Vec<_> =
        words.map(|word| String::from_utf8_lossy(&word[..word.len().min(8 * BYTES_MAX)])).collect();
    let shown = match words.as_slice() {
        // A program that has written over its arguments has one long word of many.
        [one] => mask.text(one),
        words => {
            let mut shown = mask.arguments(words);
            // A script is one argument of many words.
            for word in shown.iter_mut().skip(1).filter(|word| word.contains(char::is_whitespace)) {
                *word = mask.text(word);
            }
            shown.join(" ")
        }
    };
    cut(shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

fn cut(mut text: String) -> String {
    if text.len() > BYTES_MAX {
        let mut end = BYTES_MAX;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(words: &[&str]) -> String {
        masked(words.join("\0").as_bytes(), &Mask::default())
    }

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        let masked = mask::MASKED;
        let cases: [(&[&str], String); 5] = [
            (&["/usr/bin/app", "--password=hunter2", "-v"], format!("/usr/bin/app --password={masked} -v")),
            (&["app", "--api-key", "hunter2", "run"], format!("app --api-key {masked} run")),
            (
                &["sh", "-c", "app --token hunter2 && echo ok"],
                format!("sh -c app --token {masked} && echo ok"),
            ),
            (&["app: serving --token hunter2", ""], format!("app: serving --token {masked}")),
            (&["nginx: worker process", ""], "nginx: worker process".to_owned()),
        ];
        for (words, expected) in cases {
            assert_eq!(line(words), expected);
        }
    }

    #[test]
    fn control_characters_and_length_are_bounded() {
        assert_eq!(line(&["a\u{1b}[31m", "b\nc"]), "a [31m b c");
        assert!(line(&["x", &"é".repeat(5000)]).len() <= BYTES_MAX + '…'.len_utf8());
        assert_eq!(line(&[]), "");
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_is_text(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(!masked(&bytes, &Mask::default()).chars().any(char::is_control));
        }
    }
}

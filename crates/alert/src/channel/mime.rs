//! A mail as bytes: headers in which nothing of others can begin another header, and a body in Base64.

use base64::{Engine, prelude::BASE64_STANDARD};
use event::Timestamp;

/// A mail with its text twice: for those who read HTML, and for the others.
pub(crate) struct Mail<'a> {
    /// Who sends it, as its header says.
    pub(crate) from: String,
    /// To whom, as its header says.
    pub(crate) to: String,
    pub(crate) subject: &'a str,
    /// Without angle brackets: `key@domain`.
    pub(crate) message_id: &'a str,
    /// The id of the mail that it belongs to; None for the first of a thread.
    pub(crate) thread: Option<&'a str>,
    pub(crate) date: Timestamp,
    pub(crate) plain: &'a str,
    pub(crate) html: &'a str,
}

/// Longer subjects are cut by whoever makes them; a word of RFC 2047 takes no more than 75 characters, of which
/// these are text, in bytes before Base64.
const WORD_BYTES_MAX: usize = 42;
const LINE_BYTES_MAX: usize = 76;

impl Mail<'_> {
    /// The whole mail, in lines that end in CRLF.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Nobody else can have written it: Base64 has no `=_`.
        let boundary = "=_log-sentinel";
        let date = self.date.to_jiff().strftime("%a, %d %b %Y %H:%M:%S +0000");
        let mut lines = vec![
            format!("Date: {date}"),
            format!("From: {}", self.from),
            format!("To: {}", self.to),
            format!("Subject: {}", encoded(self.subject)),
            format!("Message-ID: <{}>", self.message_id),
        ];
        if let Some(thread) = self.thread {
            lines.extend([format!("In-Reply-To: <{thread}>"), format!("References: <{thread}>")]);
        }
        lines.extend([
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            format!("Content-Type: multipart/alternative; boundary=\"{boundary}\""),
        ]);
        for (kind, text) in [("plain", self.plain), ("html", self.html)] {
            lines.extend([
                String::new(),
                format!("--{boundary}"),
                format!("Content-Type: text/{kind}; charset=utf-8"),
                "Content-Transfer-Encoding: base64".to_owned(),
                String::new(),
            ]);
            let coded = BASE64_STANDARD.encode(text);
            // Base64 is ASCII, so every place is a boundary of characters.
            lines.extend(
                (0..coded.len())
                    .step_by(LINE_BYTES_MAX)
                    .map(|at| coded[at..coded.len().min(at + LINE_BYTES_MAX)].to_owned()),
            );
        }
        lines.extend([format!("--{boundary}--"), String::new()]);
        lines.join("\r\n").into_bytes()
    }
}

/// Text of a header as encoded words (RFC 2047), on lines of its own.
pub(crate) fn encoded(text: &str) -> String {
    let mut words = vec![];
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > WORD_BYTES_MAX {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let words: Vec<_> =
        words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_words_of_rfc_2047() {
        let subject = encoded("größer\r\nBcc: a@b.c 日本語日本語日本語日本語");
        for line in subject.split("\r\n ") {
            assert!(line.len() <= 75 && line.starts_with("=?utf-8?B?") && line.ends_with("?="), "{line}");
        }
        assert!(!subject.contains("Bcc"));
    }
}

//! How text of others is put into markup without becoming any.

/// A form of text that some service shows. Whatever goes through it is shown as it is.
pub(crate) trait Markup {
    /// The text itself, on one line.
    fn text(&self, text: &str) -> String;
    /// The text, standing out.
    fn strong(&self, text: &str) -> String;
    /// A line of a log.
    fn code(&self, text: &str) -> String;
    /// A command within text, to be copied as it is.
    fn command(&self, text: &str) -> String {
        self.code(text)
    }
}

/// No markup at all.
pub(crate) struct Plain;

impl Markup for Plain {
    fn text(&self, text: &str) -> String {
        telemetry::clean::line(text).into_owned()
    }

    fn strong(&self, text: &str) -> String {
        self.text(text)
    }

    fn code(&self, text: &str) -> String {
        format!("    {}", self.text(text))
    }

    fn command(&self, text: &str) -> String {
        self.text(text)
    }
}

/// HTML, as in mail and as Telegram takes it.
pub(crate) struct Html;

impl Markup for Html {
    fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in telemetry::clean::line(text).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                c => out.push(c),
            }
        }
        out
    }

    fn strong(&self, text: &str) -> String {
        format!("<b>{}</b>", self.text(text))
    }

    fn code(&self, text: &str) -> String {
        format!("<code>{}</code>", self.text(text))
    }
}

/// The HTML of Telegram, which makes mentions, commands and tags of plain text as well: nothing is seen of the word
/// joiner that keeps it from doing so.
pub(crate) struct TelegramHtml;

impl Markup for TelegramHtml {
    fn text(&self, text: &str) -> String {
        let mut out = Html.text(text);
        for sign in ['@', '/', '#', '$'] {
            out = out.replace(sign, &format!("{sign}\u{2060}"));
        }
        out
    }

    fn strong(&self, text: &str) -> String {
        format!("<b>{}</b>", self.text(text))
    }

    fn code(&self, text: &str) -> String {
        Html.code(text)
    }
}

/// The Markdown of Discord. Every character that means something where it stands is escaped, `@` and `<` always, so
/// that nobody is mentioned and no link hides where it leads.
pub(crate) struct Markdown;

impl Markup for Markdown {
    fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        let text = telemetry::clean::line(text);
        let mut before = None;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let means_something = match c {
                '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '@' => true,
                // Titles, quotes and lists, at the beginning.
                '#' | '>' | '-' | '+' => before.is_none(),
                // Addresses and pictures such as `:skull:`, but no times of day and no ends of sentences.
                ':' => {
                    let of_time = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
                    let next = rest.peek().copied();
                    !(next.is_none_or(char::is_whitespace) || of_time(before) && of_time(next))
                }
                _ => false,
            };
            if means_something {
                out.push('\\');
            }
            out.push(c);
            before = Some(c);
        }
        out
    }

    fn strong(&self, text: &str) -> String {
        format!("**{}**", self.text(text))
    }

    fn code(&self, text: &str) -> String {
        // Within code nothing can be escaped, and only a back-tick ends it.
        format!("`{}`", telemetry::clean::line(text).replace('`', "ˋ"))
    }
}

/// `&`, `<` and `>` as Slack wants them, by which no mention and no link can be written.
pub(crate) fn slack(text: &str) -> String {
    telemetry::clean::lines(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        let text = "<b>@everyone</b> **x** `y` [a](http://b) & \"q\"\n# \u{202e}";
        assert_eq!(
            Html.text(text),
            "&lt;b&gt;@everyone&lt;/b&gt; **x** `y` [a](http://b) &amp; &quot;q&quot;\\n# \\u{202e}"
        );
        for (text, expected) in [
            ("<@1> **x** [a](b) :b: @here", r"\<\@1> \*\*x\*\* \[a\](b) \:b: \@here"),
            ("# - a - b > c", r"\# - a - b > c"),
            ("> a", r"\> a"),
            ("http://a.b", r"http\://a.b"),
            ("at 12:00:33, it: x", "at 12:00:33, it: x"),
            ("2001:db8::7", r"2001\:db8\:\:7"),
        ] {
            assert_eq!(Markdown.text(text), expected);
        }
        assert_eq!(TelegramHtml.strong("@admin /stop <b>"), "<b>@\u{2060}admin /\u{2060}stop &lt;b&gt;</b>");
        assert_eq!(TelegramHtml.code("@a"), "<code>@a</code>");
        assert_eq!(Markdown.code("a`b"), "`aˋb`");
        assert_eq!(slack("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(Plain.code("a\nb"), r"    a\nb");
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_the_text_and_nothing_else(text in "(?s)[\\\\*_~`|<>@:#&\"a-z0-9 /.\\[\\]\\PC\n\u{202e}-]{0,60}") {
            let shown = telemetry::clean::line(&text).into_owned();
            let html = Html.text(&text);
            assert!(!html.contains(['<', '>', '"', '\n']));
            let unescaped = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            assert_eq!(unescaped, shown);
            assert_eq!(TelegramHtml.text(&text).replace('\u{2060}', ""), html);
            let mut markdown = Markdown.text(&text).chars().collect::<Vec<_>>().into_iter();
            let mut unescaped = String::new();
            while let Some(c) = markdown.next() {
                assert!(!"*_~`|[]<@".contains(c), "{c} means something");
                unescaped.extend(if c == '\\' { markdown.next() } else { Some(c) });
            }
            assert_eq!(unescaped, shown);
            assert!(!slack(&text).contains(['<', '>']) && !slack(&text).replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").contains('&'));
        }
    }
}

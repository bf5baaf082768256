//! How text of others is put into markup without becoming any.

/// A form of text that some service shows. Whatever goes through it is shown as it is.
pub(crate) trait Markup {
    /// The text itself, on one line.
    fn text(&self, text: &str) -> String;
    /// The text, standing out.
    fn strong(&self, text: &str) -> String;
    /// A line of a log.
    fn code(&self, text: &str) -> String;
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

/// The Markdown of Discord. Every character that could mean something there is escaped, `@` and `<` as well, so
/// that nobody is mentioned and no link hides where it leads.
pub(crate) struct Markdown;

impl Markup for Markdown {
    fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in telemetry::clean::line(text).chars() {
            if "\\*_~`|>#-[]()<:@!".contains(c) {
                out.push('\\');
            }
            out.push(c);
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
        assert_eq!(
            Markdown.text("<@1> **x** [a](b) :b: @here"),
            r"\<\@1> \*\*x\*\* \[a\]\(b\) \:b\: \@here".replace('>', r"\>")
        );
        assert_eq!(TelegramHtml.strong("@admin /stop <b>"), "<b>@\u{2060}admin /\u{2060}stop &lt;b&gt;</b>");
        assert_eq!(TelegramHtml.code("@a"), "<code>@a</code>");
        assert_eq!(Markdown.code("a`b"), "`aˋb`");
        assert_eq!(slack("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(Plain.code("a\nb"), r"    a\nb");
    }
}

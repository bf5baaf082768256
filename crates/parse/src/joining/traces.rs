//! What lines of traces look like, each by itself.

/// `Oct 22, 2026 9:59:01 PM com.example.Main run`.
pub(super) fn is_java_header(text: &str) -> bool {
    let mut words = text.split(' ');
    let month = words
        .next()
        .is_some_and(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    month
        && words.next().is_some_and(|day| day.ends_with(','))
        && words.nth(1).is_some_and(|clock| clock.contains(':'))
        && words.next().is_some_and(|half| matches!(half.trim_end_matches(','), "AM" | "PM"))
        && words.next().is_some_and(|class| class.contains('.'))
}

/// `java.lang.IllegalStateException: text`, `System.Exception`, `ValueError: text`.
pub(super) fn is_exception(text: &str) -> bool {
    let text =
        text.strip_prefix("Uncaught ").or_else(|| text.strip_prefix("Unhandled exception. ")).unwrap_or(text);
    let end = text.find([':', ' ', '(']).unwrap_or(text.len());
    let name = &text[..end];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'\\');
    let class = name.split('$').next().unwrap_or_default();
    let is_named = ["Exception", "Error", "Throwable", "Fault"].iter().any(|last| class.ends_with(last));
    name.bytes().all(plain)
        && (is_named || (text[end..].starts_with(": ") && is_qualified(name)))
        && (name.contains('.') || text[end..].is_empty() || text[end..].starts_with(": "))
}

/// `com.example.PaymentDeclined`: a class in a package of a package.
fn is_qualified(name: &str) -> bool {
    let Some((package, class)) = name.rsplit_once('.') else { return false };
    package.contains('.')
        && package
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_'))
        && class.starts_with(|first: char| first.is_ascii_uppercase())
        && class.bytes().any(|byte| byte.is_ascii_lowercase())
}

pub(super) fn is_exception_of_python(text: &str) -> bool {
    let name = text.split(':').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    !name.is_empty()
        && name.len() <= 100
        && name.bytes().all(plain)
        && (name.len() < text.len()
            || is_exception(text)
            || name.contains('.')
            || name.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// `File "a.py", line 7, in f`.
pub(super) fn is_python_place(trimmed: &str) -> bool {
    trimmed.starts_with("File \"") && trimmed.contains("\", line ")
}

/// What Python prints between an exception and the one that it led to.
pub(super) fn is_link(text: &str) -> bool {
    ["During handling of the above exception", "The above exception was the direct cause"]
        .iter()
        .any(|link| text.starts_with(link))
}

/// `ActiveRecord::RecordNotFound (Couldn't find User):`, as Rails names an exception.
pub(super) fn is_rails_exception(text: &str) -> bool {
    let Some((name, _)) = text.split_once(" (") else { return false };
    let is_class = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_uppercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.split("::").all(is_class) && (name.contains("::") || name.ends_with("Error"))
}

/// `a.rb:3:in 'f': no stock (RuntimeError)`, with which Ruby ends.
pub(super) fn is_crash(text: &str) -> bool {
    is_frame(text)
        && text.split_once(":in ").is_some_and(|(_, rest)| {
            let message = rest.split_once("': ").or_else(|| rest.split_once(">: "));
            message.is_some_and(|(_, message)| message.contains(" (") || message == "unhandled exception")
        })
}

/// `at com.example.Main.run(Main.java:7)` and Ruby's `app.rb:3:in 'run'` at the margin, also of a gem:
/// `actionpack (7.1.2) lib/a.rb:3:in 'run'`.
pub(super) fn is_frame(text: &str) -> bool {
    (text.starts_with("at ") && text.contains('(') && text.trim_end().ends_with(')'))
        || (text.starts_with("from ") && text.contains(":in "))
        || text.split_once(":in ").is_some_and(|(place, _)| {
            let line = place.rsplit_once(':').map_or("", |(_, line)| line);
            let gem = place.split_once(" (").and_then(|(name, rest)| Some((name, rest.split_once(") ")?.1)));
            let is_place = match gem {
                Some((name, path)) => !name.contains(' ') && !path.contains(' '),
                None => !place.contains(' '),
            };
            is_place && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// `main.main()`, `net/http.(*conn).serve(0xc0000)`.
pub(super) fn is_call(text: &str) -> bool {
    let Some(open) = text.find('(') else { return false };
    let name = &text[..open];
    !name.is_empty()
        && !name.contains(' ')
        && (name.contains('.') || name == "panic")
        && text.trim_end().ends_with(')')
}

/// `rax    0x0`, as Go prints after a fatal signal.
pub(super) fn is_register(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    words.next().is_some_and(|name| name.len() <= 6)
        && words.next().is_some_and(|value| value.starts_with("0x"))
}

/// Nothing but brackets: the end of what was printed indented.
pub(super) fn is_closing(text: &str) -> bool {
    text.starts_with(['}', ']', ')', '"'])
        && text.bytes().all(|byte| matches!(byte, b'}' | b']' | b')' | b',' | b';' | b'"' | b' ' | b'\r'))
}

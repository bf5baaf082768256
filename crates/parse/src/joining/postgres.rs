//! What PostgreSQL writes to a message on lines of their own, each with the prefix of all its lines.

/// How far a prefix reaches, in bytes.
const PREFIX_BYTES_MAX: usize = 200;
/// So many of its first bytes, a time to the millisecond, are the same in all lines of a message.
const TIME_BYTES: usize = 23;
const PARTS: [&str; 7] = ["DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE"];

/// Where the part begins in a line that goes on with the message of the line `head`.
pub(super) fn part(head: &str, line: &str) -> Option<usize> {
    let start = word(line)?;
    let rest = &line[start..];
    let is_part =
        PARTS.iter().any(|part| rest.strip_prefix(part).is_some_and(|rest| rest.starts_with(":  ")));
    (is_part && follows(&head.as_bytes()[..word(head)?], &line.as_bytes()[..start])).then_some(start)
}

/// Whether such a line may be one, looking only at what costs little.
pub(super) fn may_be_part(head: &[u8], line: &[u8]) -> bool {
    let prefix = &line[..line.len().min(PREFIX_BYTES_MAX)];
    head.get(..TIME_BYTES) == line.get(..TIME_BYTES)
        && memchr::memchr_iter(b':', prefix)
            .find(|colon| line[colon + 1..].starts_with(b"  "))
            .is_some_and(|colon| PARTS.iter().any(|part| prefix[..colon].ends_with(part.as_bytes())))
}

/// Where the word stands whose colon two blanks follow.
fn word(line: &str) -> Option<usize> {
    let colon = line.find(":  ").filter(|colon| *colon <= PREFIX_BYTES_MAX)?;
    Some(line[..colon].rfind([' ', ':']).map_or(0, |mark| mark + 1)).filter(|start| *start > 0)
}

/// Whether two prefixes are the same but for one number that counts lines.
fn follows(one: &[u8], other: &[u8]) -> bool {
    const STEP_MAX: u64 = 8;
    let (mut at, mut by, mut has_grown) = (0, 0, false);
    while at < one.len() && by < other.len() {
        let (left, right) = (digits(&one[at..]), digits(&other[by..]));
        if left.is_empty() || right.is_empty() {
            if one[at] != other[by] {
                return false;
            }
            (at, by) = (at + 1, by + 1);
            continue;
        }
        if left != right {
            let is_count = at > 0 && matches!(one[at - 1], b'-' | b':' | b'=' | b'#');
            let step = number(right).zip(number(left)).and_then(|(right, left)| right.checked_sub(left));
            if has_grown || !is_count || !step.is_some_and(|step| (1..=STEP_MAX).contains(&step)) {
                return false;
            }
            has_grown = true;
        }
        (at, by) = (at + left.len(), by + right.len());
    }
    at == one.len() && by == other.len()
}

fn digits(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len())]
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

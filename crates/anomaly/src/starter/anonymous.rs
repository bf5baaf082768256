//! Events without those they are about, so that what is learned from them tells of nobody.
//!
//! Names, paths, commands and addresses of web pages, as the fields of the events give them, are replaced by
//! others of the same form, another one each time: what is replaced becomes a variable of its template. Names of
//! those who are at home in the log, its hosts and the users and groups that got in, are replaced wherever
//! they stand. What stands in a message and in no field, and is not at home, is left to the rule that a
//! starter tells nothing that was seen only once or twice.

use std::{collections::BTreeSet, ops::Range};

use arithmetic::{Random, hash};
use event::Event;

/// Names that stand in for others: more than make one template.
const NAMES: [&str; 16] = [
    "alder", "aspen", "beech", "birch", "cedar", "elder", "fir", "hazel", "holly", "larch", "linden",
    "maple", "oak", "rowan", "spruce", "willow",
];
/// The one user that is on every host.
const EVERYWHERE: &str = "root";
const NAME_FIELDS: [&str; 4] = ["user.name", "user.effective.name", "group.name", "source.address"];
const TEXT_FIELDS: [&str; 4] =
    ["url.original", "http.request.referrer", "process.command_line", "process.working_directory"];

/// Those who are at home.
#[derive(Debug, Default)]
pub(super) struct Home(BTreeSet<String>);

impl Home {
    pub(super) fn of(events: &[Event<'_>]) -> Self {
        let mut home = BTreeSet::new();
        for event in events {
            home.extend(event.host.as_deref().map(str::to_owned));
            let got_in = text(event, "event.outcome") == Some("success");
            let names = NAME_FIELDS.into_iter().filter(|_| got_in).filter_map(|path| text(event, path));
            home.extend(names.map(str::to_owned));
        }
        home.retain(|name| name.len() > 1 && name != EVERYWHERE);
        Self(home)
    }

    /// The event as it could have been elsewhere; another one for each `turn`.
    pub(super) fn elsewhere(&self, event: &Event<'_>, turn: u64) -> Event<'static> {
        let message = event.message.as_ref();
        let mut found: Vec<(Range<usize>, String)> = Vec::new();
        for value in
            TEXT_FIELDS.into_iter().filter_map(|path| text(event, path)).filter(|text| text.len() > 1)
        {
            found.extend(places(message, value).map(|place| (place, scrambled(value, turn))));
        }
        for name in NAME_FIELDS.into_iter().filter_map(|path| text(event, path)) {
            if name != EVERYWHERE
                && let Some(last) = words(message, name).last()
            {
                found.push((last, other_name(name, turn)));
            }
        }
        for name in &self.0 {
            found.extend(words(message, name).map(|place| (place, other_name(name, turn))));
        }
        // Of those that overlap, the one that begins first, and of these the longest.
        found.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
        let (mut changed, mut at) = (String::with_capacity(message.len()), 0);
        for (place, other) in found {
            if place.start >= at {
                changed.push_str(&message[at..place.start]);
                changed.push_str(&other);
                at = place.end;
            }
        }
        changed.push_str(&message[at..]);
        let mut elsewhere = Event::new(changed, event.timestamp);
        elsewhere.severity = event.severity;
        elsewhere.source = event.source.clone().map(|source| source.into_owned().into());
        elsewhere
    }
}

fn text<'e>(event: &'e Event<'_>, path: &str) -> Option<&'e str> {
    event.field(path).and_then(event::Value::as_str).filter(|text| !text.is_empty())
}

fn places<'m>(message: &'m str, value: &'m str) -> impl Iterator<Item = Range<usize>> + 'm {
    message.match_indices(value).map(|(start, found)| start..start + found.len())
}

/// Where a name stands as a word of its own.
fn words<'m>(message: &'m str, name: &'m str) -> impl Iterator<Item = Range<usize>> + 'm {
    let inside = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    places(message, name).filter(move |place| {
        let bytes = message.as_bytes();
        let before = place.start.checked_sub(1).and_then(|at| bytes.get(at));
        !inside(before) && !inside(bytes.get(place.end))
    })
}

fn other_name(name: &str, turn: u64) -> String {
    NAMES[(hash(name.as_bytes()).wrapping_add(turn) % NAMES.len() as u64) as usize].to_owned()
}

/// Letters become other letters and digits other digits; marks that hold paths and words apart stay.
fn scrambled(text: &str, turn: u64) -> String {
    let mut random = Random::of(hash(text.as_bytes()), turn);
    let mut any = |first: u8, count: usize| char::from(first + random.below(count) as u8);
    let other = |found: char| match found {
        'a'..='z' => any(b'a', 26),
        'A'..='Z' => any(b'A', 26),
        '0'..='9' => any(b'0', 10),
        '/' | '.' | '-' | '_' | '?' | '=' | '&' | ' ' => found,
        _ => '-',
    };
    text.chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use event::Timestamp;

    use super::*;

    #[test]
    fn nothing_of_those_at_home_is_left() {
        let mut event =
            Event::new("  jane : PWD=/home/jane ; COMMAND=/usr/bin/vim /etc/jane.conf", Timestamp::MIN);
        event.host = Some("ip-10-0-0-7".into());
        event.set("user.name", "jane");
        event.set("event.outcome", "success");
        event.set("process.command_line", "/usr/bin/vim /etc/jane.conf");
        event.set("process.working_directory", "/home/jane");
        let mut other =
            Event::new("reverse mapping of ip-10-0-0-7 for user user failed, root too", Timestamp::MIN);
        other.set("user.name", "user");
        let home = Home::of(&[event.clone(), other.clone()]);
        let turned: Vec<_> = (0..8).map(|turn| home.elsewhere(&event, turn)).collect();
        for elsewhere in &turned {
            let message = &elsewhere.message;
            assert!(
                !message.contains("jane") && !message.contains("vim") && elsewhere.host.is_none(),
                "{message}"
            );
            assert!(
                message.starts_with("  ") && message.contains(" : PWD=/") && message.contains("COMMAND=/")
            );
            assert_eq!(message.matches('/').count(), event.message.matches('/').count());
        }
        assert!(turned.windows(2).all(|pair| pair[0].message != pair[1].message));
        assert_eq!(home.elsewhere(&event, 3).message, turned[3].message, "the same each time");
        let message = home.elsewhere(&other, 0).message.into_owned();
        assert!(
            message.starts_with("reverse mapping of ") && message.ends_with(" failed, root too"),
            "{message}"
        );
        assert!(message.contains(" for user ") && !message.contains("ip-10"), "{message}");
    }
}

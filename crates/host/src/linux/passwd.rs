//! Names of users (passwd(5)).

use std::collections::HashMap;

use super::number::{lines, number, text};

/// More users are known by their numbers.
const USERS_MAX: usize = 4096;

/// Names by number.
pub(crate) fn parse(bytes: &[u8]) -> HashMap<u32, String> {
    let line = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b':');
        let name = fields.next()?;
        let uid = u32::try_from(number(fields.nth(1)?)?).ok()?;
        Some((uid, text(name)))
    };
    let mut users = HashMap::new();
    for (uid, name) in lines(bytes).filter_map(line).take(USERS_MAX) {
        users.entry(uid).or_insert(name);
    }
    users
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_name_of_a_number_counts() {
        let users = super::parse(b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n+\nbad:x:y:1\n");
        assert_eq!((users.len(), users[&0].as_str()), (1, "root"));
    }
}

//! Names of users, from `/etc/passwd`.

use std::{collections::HashMap, sync::Arc};

/// By number.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: HashMap<u32, Arc<str>>,
}

impl Users {
    /// Lines of another form are passed over; of two names of one number the first holds, as in `getpwuid`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut names = HashMap::new();
        for line in String::from_utf8_lossy(text).lines() {
            let mut parts = line.split(':');
            let (Some(name), Some(uid)) = (parts.next(), parts.nth(1)) else { continue };
            if let Ok(uid) = uid.parse()
                && !name.is_empty()
            {
                names.entry(uid).or_insert_with(|| Arc::from(name));
            }
        }
        Self { names }
    }

    /// The name, or the number where it has none.
    pub(crate) fn name(&self, uid: u32) -> Arc<str> {
        self.names.get(&uid).cloned().unwrap_or_else(|| uid.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_first_name_of_their_number() {
        let users = Users::parse(
            b"root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n# no\nanna:x:1000:1000::/:/bin/sh\n",
        );
        assert_eq!((&*users.name(0), &*users.name(1000), &*users.name(7)), ("root", "anna", "7"));
    }
}

//! Who tries to become root, and who must not.

use event::Value;
use finding::fact;

use crate::{
    Entity, EntityType, FindingKind, Kind, Level, Seen,
    declaration::{Declaration, Match, host_of},
};

const DENIED: Declaration =
    Declaration::once("privileges_denied", FindingKind::PrivilegeEscalation, Level::Medium, "T1548.003");
const FAILURES: Declaration =
    Declaration::once("privileges_failed", FindingKind::PrivilegeEscalation, Level::Medium, "T1548.003")
        .often(3, 600);
const AFTER_FAILURES: Declaration = Declaration::once(
    "privileges_after_failures",
    FindingKind::PrivilegeEscalation,
    Level::High,
    "T1548.003",
)
.after(FAILURES.rule);

pub(crate) fn read(seen: &Seen<'_>, matches: &mut Vec<Match>) {
    let declaration = match seen.activity.kind {
        Kind::SudoDenied => &DENIED,
        Kind::SudoFailure | Kind::SuFailure => &FAILURES,
        Kind::SudoSuccess | Kind::SuOther => &AFTER_FAILURES,
        _ => return,
    };
    let Some(user) = seen.activity.user.as_deref().filter(|user| !user.is_empty()) else { return };
    let command = seen.analyzed.event.field("process.command_line").and_then(Value::as_str);
    let found = Match::new(declaration, Entity::new(EntityType::User, user)).and(host_of(seen));
    matches.push(found.fact(fact::COMMAND_LINES, command.unwrap_or_default()));
}

//! Kinds that have no words of their own yet.

use finding::FindingKind;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    let of = |name| case(name, FindingKind::RuleSuspended, "rule_suspended");
    vec![
        of("one event").host("gate").said("rule 7 takes too long"),
        of("many events").times(7, 59).service("web").host("gate").earlier(4, 1, "2024-04-30T23:59:59Z"),
        of("nothing is known"),
    ]
}

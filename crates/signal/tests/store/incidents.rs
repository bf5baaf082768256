//! Signals that are one story, and those that are not.

use finding::{Entity, EntityType, Finding, FindingKind, Level};
use signal::{
    Deed, INCIDENT_SIGNALS_MAX, IncidentFilter, IncidentPage, Matching, NewSuppression, Observed, State,
};

use crate::kept::*;

use FindingKind::{
    DiskError, LogTampering, LoginAfterFailures, NewPattern, PrivilegeEscalation, ServiceCrashLoop,
    SshBruteForce, SshBruteForceDistributed, SshKeyAdded, WebScan,
};

/// A finding so many minutes after noon, about these entities: `source.ip`, `user` and `host`, separated by blanks, `-` where
/// there is none.
fn found(number: u32, minutes: u32, kind: FindingKind, about: &str) -> Finding {
    let types = [EntityType::SourceIp, EntityType::User, EntityType::Host];
    let entities = types.into_iter().zip(about.split(' ')).filter(|(_, value)| *value != "-");
    let mut entities = entities.map(|(r#type, value)| Entity::new(r#type, value));
    let main = entities.next().unwrap();
    Finding::of_run(kind, Level::Medium, kind.as_str(), main, run(number, MINUTE * minutes, 1)).and(entities)
}

/// The kinds of each story that these findings make, the oldest story first.
fn stories(kept: &Kept) -> Vec<Vec<FindingKind>> {
    let IncidentPage { total, incidents, .. } = kept.store.incidents(&IncidentFilter::default()).unwrap();
    assert_eq!(total, incidents.len() as u64);
    let mut stories = Vec::new();
    for incident in incidents.iter().rev() {
        assert_eq!(kept.store.incident(incident.id).unwrap().as_ref(), Some(incident));
        assert!(incident.signals.iter().all(|signal| signal.incident == Some(incident.id)));
        stories.push(incident.signals.iter().map(|signal| signal.kind).collect());
    }
    stories
}

#[track_caller]
fn check(findings: &[(u32, FindingKind, &str)], expected: &[&[FindingKind]]) {
    let kept = Kept::new();
    for (number, (minutes, kind, about)) in findings.iter().enumerate() {
        kept.observe(&[found(number as u32, *minutes, *kind, about)], at(DAY));
    }
    assert_eq!(stories(&kept), expected, "{findings:?}");

    // All of them at once, and the last one first.
    let kept = Kept::new();
    let all = findings.iter().enumerate().rev();
    let all = all.map(|(number, (minutes, kind, about))| found(number as u32, *minutes, *kind, about));
    kept.observe(&all.collect::<Vec<_>>(), at(DAY));
    assert_eq!(stories(&kept), expected, "the other way round: {findings:?}");
}

const ATTACKER: &str = "203.0.113.7 - web-1";

#[test]
fn failures_then_success_then_sudo_then_a_new_key_are_one_story() {
    let kept = Kept::new();
    let story = [
        (0, SshBruteForce, ATTACKER),
        (12, LoginAfterFailures, "203.0.113.7 deploy web-1"),
        (15, PrivilegeEscalation, "- deploy web-1"),
        (20, SshKeyAdded, "- deploy web-1"),
    ];
    check(&story, &[&[SshBruteForce, LoginAfterFailures, PrivilegeEscalation, SshKeyAdded]]);
    for (number, (minutes, kind, about)) in story.into_iter().enumerate() {
        let told = kept.observe(&[found(number as u32, minutes, kind, about)], at(HOUR));
        assert_eq!(told[0].signal.incident.is_some(), number > 0, "the change says of which story it is");
    }
    let incident = kept.store.incidents(&IncidentFilter::default()).unwrap().incidents.remove(0);
    assert_eq!((incident.first, incident.last, incident.count), (at(NOON), at(20 * MINUTE), 4));
    assert_eq!(incident.state, State::New);
    let entities: Vec<&str> = incident.entities.iter().map(|entity| entity.value.as_str()).collect();
    assert_eq!(entities, ["203.0.113.7", "web-1", "deploy"]);
    for signal in incident.signals {
        kept.act(signal.id, Deed::Resolve, at(HOUR));
    }
    assert_eq!(kept.store.incident(incident.id).unwrap().unwrap().state, State::Resolved);
}

#[test]
fn what_has_nothing_to_do_with_each_other_is_no_story() {
    // Two who try the same host, and the same account.
    check(&[(0, SshBruteForce, "203.0.113.7 root web-1"), (1, SshBruteForce, "203.0.113.8 root web-1")], &[]);
    // Two users of one host, and one name on two hosts.
    check(&[(0, PrivilegeEscalation, "- ada web-1"), (1, SshKeyAdded, "- grace web-1")], &[]);
    check(&[(0, PrivilegeEscalation, "- ada web-1"), (1, SshKeyAdded, "- ada web-2")], &[]);
    // More than an hour between them.
    check(&[(0, SshBruteForce, ATTACKER), (61, LoginAfterFailures, "203.0.113.7 ada web-1")], &[]);
    // Somebody at the door, while a disk fails.
    check(&[(0, SshBruteForce, ATTACKER), (1, DiskError, "- - web-1")], &[]);
    check(&[(0, NewPattern, "- - web-1"), (1, NewPattern, "- - web-1"), (2, DiskError, "- - web-1")], &[]);
}

#[test]
fn what_links_stories_makes_them_one() {
    check(
        &[(0, DiskError, "- - web-1"), (30, ServiceCrashLoop, "- - web-1"), (5, DiskError, "- - web-2")],
        &[&[DiskError, ServiceCrashLoop]],
    );
    // A log was emptied on the host where somebody is in; nobody knows by whom.
    check(
        &[(0, PrivilegeEscalation, "- ada web-1"), (9, LogTampering, "- - web-1")],
        &[&[PrivilegeEscalation, LogTampering]],
    );
    // Each an hour after the one before.
    check(
        &[
            (0, SshBruteForce, ATTACKER),
            (60, WebScan, "203.0.113.7 - web-2"),
            (120, SshKeyAdded, "203.0.113.7 ada web-1"),
        ],
        &[&[SshBruteForce, WebScan, SshKeyAdded]],
    );
    // Two stories, and then what they have in common.
    let both = Finding {
        entities: vec![address("203.0.113.7"), address("203.0.113.8")],
        ..found(4, 30, SshBruteForceDistributed, ATTACKER)
    };
    let kept = Kept::new();
    for (number, address) in [(0, "203.0.113.7"), (2, "203.0.113.8")] {
        kept.observe(&[found(number, 0, SshBruteForce, &format!("{address} - web-1"))], at(HOUR));
        kept.observe(&[found(number + 1, 1, WebScan, &format!("{address} - web-1"))], at(HOUR));
    }
    assert_eq!(stories(&kept).len(), 2);
    kept.observe(&[both], at(HOUR));
    let all = [SshBruteForce, SshBruteForce, WebScan, WebScan, SshBruteForceDistributed];
    assert_eq!(stories(&kept), [all]);
}

#[test]
fn organizations_and_what_is_hidden_have_no_part_in_the_stories_of_others() {
    let kept = Kept::new();
    let finding = |number, kind| found(number, 0, kind, ATTACKER);
    for (number, (kind, organization)) in
        [(SshBruteForce, "north"), (WebScan, "south")].into_iter().enumerate()
    {
        let observed =
            Observed { organization: Some(organization.to_owned()), ..of(finding(number as u32, kind)) };
        kept.store.observe(vec![observed], None, at(HOUR), nothing).unwrap();
    }
    assert_eq!(stories(&kept), Vec::<Vec<FindingKind>>::new());
    let observed = Observed { organization: Some("north".to_owned()), ..of(finding(3, WebScan)) };
    kept.store.observe(vec![observed], None, at(HOUR), nothing).unwrap();
    let of = |organization: &str| IncidentFilter {
        organization: Some(organization.to_owned()),
        ..IncidentFilter::default()
    };
    assert_eq!(kept.store.incidents(&of("north")).unwrap().total, 1);
    assert_eq!(kept.store.incidents(&of("south")).unwrap().total, 0);

    let hides = NewSuppression {
        matching: Matching { kind: Some(DiskError), ..Matching::default() },
        reason: "it is to be replaced".to_owned(),
        by: "ada".to_owned(),
        expires_at: at(DAY),
    };
    kept.store.suppress(&hides, at(HOUR), nothing).unwrap();
    let health = [(5, DiskError), (6, ServiceCrashLoop), (7, DiskError)];
    for (number, kind) in health {
        kept.observe(&[found(number, 0, kind, "- - web-1")], at(HOUR));
    }
    assert_eq!(stories(&kept).len(), 1);
}

#[test]
fn a_story_has_a_bound_and_a_list_of_them_has_pages() {
    let kept = Kept::new();
    let many = INCIDENT_SIGNALS_MAX as u32 + 20;
    let story = |number| {
        let finding = found(number, 0, WebScan, ATTACKER);
        Finding { rule: format!("rule {number}"), ..finding }
    };
    kept.observe(&(0..many).map(story).collect::<Vec<_>>(), at(HOUR));
    let filter = IncidentFilter::default();
    let page = kept.store.incidents(&filter).unwrap();
    assert_eq!(page.incidents[0].signals.len(), INCIDENT_SIGNALS_MAX);

    let kept = Kept::new();
    for number in 0..25 {
        let about = format!("192.0.2.{number} - web-{number}");
        let minutes = number / 2;
        kept.observe(&[found(2 * number, minutes, SshBruteForce, &about)], at(HOUR));
        kept.observe(&[found(2 * number + 1, minutes, WebScan, &about)], at(HOUR));
    }
    let mut filter = IncidentFilter { limit: 10, ..filter };
    let mut seen = Vec::new();
    loop {
        let page = kept.store.incidents(&filter).unwrap();
        assert_eq!(page.total, 25);
        seen.extend(page.incidents.iter().map(|incident| (incident.last, incident.id)));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|one, other| one > other));
    let between =
        IncidentFilter { from: Some(at(3 * MINUTE)), to: Some(at(5 * MINUTE)), ..IncidentFilter::default() };
    assert_eq!(kept.store.incidents(&between).unwrap().total, 4);
    let wrong = IncidentFilter { cursor: Some("x".to_owned()), ..IncidentFilter::default() };
    assert!(kept.store.incidents(&wrong).is_err());
}

//! Planning as data: what the server has goes in, what would be done comes out.

use serde_json::json;

use super::{
    found::{Abilities, Found, Target, resolved},
    object::{MANAGED_BY, Mark, differences, leaves},
    plan::{decide, matches},
    wanted::{Wanted, time_value},
    *,
};
use crate::elasticsearch::cluster::Flavor;

const DAY: u64 = 24 * 60 * 60;

const FULL: Abilities = Abilities {
    opensearch: false,
    ignores_missing: true,
    tokenizer: true,
    policies: true,
    stream_lifecycles: false,
};
const OPENSEARCH: Abilities = Abilities {
    opensearch: true,
    ignores_missing: false,
    tokenizer: true,
    policies: false,
    stream_lifecycles: false,
};
const SERVERLESS: Abilities = Abilities {
    opensearch: false,
    ignores_missing: true,
    tokenizer: true,
    policies: false,
    stream_lifecycles: true,
};

fn config() -> Config {
    Config { retention: Some(Duration::from_secs(30 * DAY)), ..Config::default() }
}

fn empty(abilities: Abilities) -> Found {
    let flavor = if abilities.opensearch { Flavor::OpenSearch } else { Flavor::Elasticsearch };
    Found {
        server: Server { flavor, version: (8, 19, 0), has_tokenizer: true },
        abilities,
        objects: Default::default(),
        others: Default::default(),
        target: Target::Absent,
    }
}

/// The server after a set-up with this configuration, and a data stream begun with it.
fn set_up(config: &Config, abilities: Abilities) -> Found {
    let mut found = empty(abilities);
    let wanted = Wanted::new(config, abilities).unwrap();
    for object in &wanted.objects {
        let stored = hash(object.kind, &object.body);
        found.objects.insert((object.kind, object.name.clone()), object.marked(VERSION, &stored));
    }
    found.target = Target::Stream {
        backing: vec![".ds-logs-sentinel-000001".to_owned()],
        mappings: wanted.mappings().clone(),
        lifecycle: abilities.stream_lifecycles.then(|| stream_lifecycle(config.retention)),
    };
    found
}

fn body<'f>(found: &'f mut Found, kind: Kind, name: &str) -> &'f mut Json {
    found.objects.get_mut(&(kind, name.to_owned())).unwrap()
}

/// The verb and name of each step, as an operator reads them.
fn verbs(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for line in plan.to_string().lines().filter(|line| !line.starts_with(' ')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "create" | "unchanged" | "update" | "adopt" | "keep" => {
                lines.push(format!("{} {}", words[0], words[3].trim_end_matches(':')));
            }
            "roll" => lines.push("roll over".to_owned()),
            _ => {}
        }
    }
    lines
}

fn refusals(config: &Config, found: &Found) -> Vec<Refusal> {
    match decide(config, found) {
        Err(SetupError::Refused { refusals, .. }) => refusals,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn an_empty_server_gets_what_it_can_do() {
    for (abilities, expected) in [
        (
            FULL,
            vec![
                "create logs-sentinel",
                "create logs-sentinel@mappings",
                "create logs-sentinel@settings",
                "create logs-sentinel@lifecycle",
                "create logs-sentinel",
            ],
        ),
        (
            SERVERLESS,
            vec![
                "create logs-sentinel@mappings",
                "create logs-sentinel@settings",
                "create logs-sentinel@lifecycle",
                "create logs-sentinel",
            ],
        ),
        (
            OPENSEARCH,
            vec![
                "create logs-sentinel@custom",
                "create logs-sentinel@mappings",
                "create logs-sentinel@settings",
                "create logs-sentinel",
            ],
        ),
    ] {
        let plan = decide(&config(), &empty(abilities)).unwrap();
        assert_eq!(verbs(&plan), expected, "{abilities:?}");
        assert!(!plan.is_empty() && !plan.roll_over && !plan.has_kept());
    }
}

#[test]
fn who_deletes_is_said() {
    for (abilities, retention, expected) in [
        (FULL, Some(30 * DAY), "retention: 30d, by the server's lifecycle policy"),
        (SERVERLESS, Some(DAY / 2), "retention: 12h, by the lifecycle of the data stream"),
        (OPENSEARCH, Some(30 * DAY), "by Log Sentinel itself (LOG_SENTINEL_RETENTION)"),
        (FULL, None, "retention: none, nothing is deleted; set LOG_SENTINEL_RETENTION"),
    ] {
        let config = Config { retention: retention.map(Duration::from_secs), ..config() };
        let text = decide(&config, &empty(abilities)).unwrap().to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn the_template_is_fitted_to_the_server_and_the_name() {
    let config = Config { data_stream: "logs-tenant-a".to_owned(), ..config() };
    let template = |abilities| {
        let wanted = Wanted::new(&config, abilities).unwrap();
        wanted.objects.into_iter().find(|object| object.kind == Kind::Template).unwrap().body
    };
    let full = template(FULL);
    assert_eq!(full["index_patterns"], json!(["logs-tenant-a"]));
    assert_eq!(
        full["composed_of"],
        json!([
            "logs-tenant-a@mappings",
            "logs-tenant-a@settings",
            "logs-tenant-a@lifecycle",
            "logs-tenant-a@custom"
        ])
    );
    assert_eq!(full["ignore_missing_component_templates"], json!(["logs-tenant-a@custom"]));
    assert_eq!(full["allow_auto_create"], json!(true));
    let open = template(OPENSEARCH);
    assert_eq!(
        open["composed_of"],
        json!(["logs-tenant-a@mappings", "logs-tenant-a@settings", "logs-tenant-a@custom"])
    );
    assert!(
        open.get("allow_auto_create").is_none() && open.get("ignore_missing_component_templates").is_none()
    );
}

#[test]
fn labels_and_copies_are_fitted_too() {
    let part = |config: &Config, abilities, name: &str, path: &str| {
        let wanted = Wanted::new(config, abilities).unwrap();
        let object = wanted.objects.iter().find(|object| object.name == name).unwrap();
        object.body.pointer(path).cloned()
    };
    let labels = "/template/mappings/properties/labels/type";
    assert_eq!(part(&config(), FULL, "logs-sentinel@mappings", labels), Some(json!("flattened")));
    assert_eq!(part(&config(), OPENSEARCH, "logs-sentinel@mappings", labels), Some(json!("flat_object")));
    let copies = Config { shards: Some(3), replicas: Some(2), ..config() };
    for (config, path, expected) in [
        (&config(), "auto_expand_replicas", Some(json!("0-1"))),
        (&config(), "number_of_shards", None),
        (&copies, "auto_expand_replicas", None),
        (&copies, "number_of_replicas", Some(json!(2))),
        (&copies, "number_of_shards", Some(json!(3))),
    ] {
        let path = format!("/template/settings/index/{path}");
        assert_eq!(part(config, FULL, "logs-sentinel@settings", &path), expected, "{path}");
    }
}

#[test]
fn a_server_without_the_tokenizer_gets_the_tokens_sent_along() {
    let mapped = |abilities| {
        let wanted = Wanted::new(&config(), abilities).unwrap();
        wanted.objects.into_iter().find(|object| object.name.ends_with("@mappings")).unwrap().body
    };
    let whole = mapped(FULL);
    let bare = mapped(Abilities { tokenizer: false, ..FULL });
    let field =
        |mapped: &Json, path: &str| mapped.pointer(&format!("/template/mappings/properties/{path}")).cloned();
    assert_eq!(field(&whole, "message/analyzer"), Some(json!("sentinel")));
    assert_eq!(field(&whole, "sentinel/properties/tokens/type"), Some(json!("alias")));
    assert_eq!(field(&bare, "message/analyzer"), None);
    assert_eq!(field(&bare, "sentinel/properties/tokens/type"), Some(json!("text")));
    assert_eq!(field(&bare, "sentinel/properties/tokens/path"), None, "a field is replaced as a whole");
    for path in ["sentinel/properties/anomaly", "labels", "host"] {
        assert_eq!(field(&bare, path), field(&whole, path));
    }
    assert!(whole["template"]["settings"]["index"]["analysis"].is_object());
    assert_eq!(bare["template"]["settings"], json!({}));
}

#[test]
fn a_policy_keeps_little_beyond_the_retention() {
    for (retention, max_age, delete) in [
        (Some(30 * DAY), "3d", Some("30d")),
        (Some(7 * DAY), "16h", Some("7d")),
        (Some(60), "1h", Some("1m")),
        (Some(3650 * DAY), "30d", Some("3650d")),
        (None, "30d", None),
    ] {
        let config = Config { retention: retention.map(Duration::from_secs), ..config() };
        let wanted = Wanted::new(&config, FULL).unwrap();
        let policy = wanted.objects.iter().find(|object| object.kind == Kind::Policy).unwrap();
        let phases = &policy.body["policy"]["phases"];
        assert_eq!(phases["hot"]["actions"]["rollover"]["max_age"], max_age, "{retention:?}");
        assert_eq!(phases.pointer("/delete/min_age").and_then(Json::as_str), delete, "{retention:?}");
    }
    assert_eq!(time_value(Duration::from_secs(90)), "90s");
}

#[test]
fn a_second_run_does_nothing() {
    for abilities in [FULL, SERVERLESS, OPENSEARCH] {
        let plan = decide(&config(), &set_up(&config(), abilities)).unwrap();
        assert!(plan.is_empty() && !plan.has_kept(), "{plan}");
    }
}

#[test]
fn what_servers_spell_out_is_no_change() {
    let mut found = set_up(&config(), FULL);
    let settings = body(&mut found, Kind::Component, "logs-sentinel@settings");
    settings["template"]["settings"]["index"]["auto_expand_replicas"] = json!("0-1");
    settings["created_date_millis"] = json!(1);
    let template = body(&mut found, Kind::Template, "logs-sentinel");
    template["data_stream"] = json!({"hidden": false, "allow_custom_routing": false});
    template["template"] = json!({});
    assert!(decide(&config(), &found).unwrap().is_empty());

    let flat = json!({"template": {"settings": {"index.codec": "best_compression", "number_of_shards": 1}}});
    let nested =
        json!({"template": {"settings": {"index": {"number_of_shards": "1", "codec": "best_compression"}}}});
    assert_eq!(leaves(Kind::Component, &flat), leaves(Kind::Component, &nested));
    let lifecycle = json!({"template": {"lifecycle": {"enabled": true, "data_retention": "30d"}}});
    let short = json!({"template": {"lifecycle": {"data_retention": "30d"}}});
    assert_eq!(hash(Kind::Component, &lifecycle), hash(Kind::Component, &short));
}

#[test]
fn a_server_that_makes_something_else_of_it_is_not_fought() {
    let mut found = set_up(&config(), FULL);
    let policy = body(&mut found, Kind::Policy, "logs-sentinel");
    policy["policy"]["phases"]["hot"]["actions"]["rollover"]["max_docs"] = json!(200_000_000);
    let stored = hash(Kind::Policy, policy);
    policy["policy"]["_meta"]["stored"] = json!(stored);
    let plan = decide(&config(), &found).unwrap();
    assert!(plan.is_empty() && !plan.has_kept(), "{plan}");
}

#[test]
fn a_new_retention_is_an_update_of_what_nobody_touched() {
    let found = set_up(&config(), FULL);
    let shorter = Config { retention: Some(Duration::from_secs(7 * DAY)), ..config() };
    let plan = decide(&shorter, &found).unwrap();
    assert_eq!(verbs(&plan)[0], "update logs-sentinel");
    assert!(!plan.roll_over, "a policy works on indexes that exist");
    assert!(plan.to_string().contains("phases.delete.min_age: the server has 30d, wanted is 7d"), "{plan}");

    let found = set_up(&config(), SERVERLESS);
    let plan = decide(&shorter, &found).unwrap();
    assert_eq!(plan.stream_lifecycle, StreamLifecycle::Set);
}

#[test]
fn what_an_operator_changed_is_left_alone_and_shown() {
    let mut found = set_up(&config(), FULL);
    let settings = body(&mut found, Kind::Component, "logs-sentinel@settings");
    settings["template"]["settings"]["index"]["refresh_interval"] = json!("77s");
    let changed = Config { shards: Some(4), ..config() };
    let plan = decide(&changed, &found).unwrap();
    assert_eq!(
        verbs(&plan),
        [
            "unchanged logs-sentinel",
            "update logs-sentinel@mappings",
            "keep logs-sentinel@settings",
            "unchanged logs-sentinel@lifecycle",
            "unchanged logs-sentinel",
            "roll over"
        ]
    );
    let text = plan.to_string();
    assert!(
        plan.has_kept() && text.contains("settings.index.refresh_interval: the server has 77s"),
        "{text}"
    );
    assert!(text.contains("logs-sentinel@custom"), "{text}");

    // Undone, it is cared for again.
    let found = set_up(&config(), FULL);
    assert!(!decide(&config(), &found).unwrap().has_kept());
}

#[test]
fn a_lifecycle_that_somebody_gave_the_stream_stays() {
    let mut found = set_up(&config(), SERVERLESS);
    if let Target::Stream { lifecycle, .. } = &mut found.target {
        *lifecycle = Some(json!({"enabled": true, "data_retention": "5d"}));
    }
    let plan = decide(&config(), &found).unwrap();
    assert_eq!(plan.stream_lifecycle, StreamLifecycle::Kept { found: "5d".to_owned() });
    assert!(plan.is_empty() && plan.has_kept());
}

#[test]
fn versions_decide() {
    for (version, expected) in [(VERSION + 1, "keep"), (VERSION, "unchanged"), (0, "adopt")] {
        let mut found = set_up(&config(), FULL);
        for ((kind, _), body) in &mut found.objects {
            let meta = if *kind == Kind::Policy { &mut body["policy"]["_meta"] } else { &mut body["_meta"] };
            meta["version"] = json!(version);
        }
        for verb in verbs(&decide(&config(), &found).unwrap()) {
            assert!(verb.starts_with(expected), "{version}: {verb}");
        }
    }
}

#[test]
fn the_operators_own_part_is_made_once_and_never_written_again() {
    let mut found = set_up(&config(), OPENSEARCH);
    *body(&mut found, Kind::Component, "logs-sentinel@custom") =
        json!({"template": {"settings": {"index": {"refresh_interval": "9s"}}}});
    let plan = decide(&config(), &found).unwrap();
    assert!(plan.is_empty() && verbs(&plan)[0] == "unchanged logs-sentinel@custom", "{plan}");
}

#[test]
fn an_older_stream_of_ours_rolls_over() {
    let mut found = set_up(&config(), FULL);
    if let Target::Stream { mappings, .. } = &mut found.target {
        *mappings = json!({
            "_meta": {"managed_by": MANAGED_BY, "version": 0, "content": "older"},
            "properties": {"message": {"type": "keyword"}}
        });
    }
    let plan = decide(&config(), &found).unwrap();
    assert_eq!(verbs(&plan).pop().unwrap(), "roll over");
}

#[test]
fn names_that_stand_for_something_else_are_refused() {
    for (target, expected) in [
        (Target::Index, "an index of that name exists"),
        (Target::Alias { indexes: vec!["old-1".to_owned()] }, "an alias of that name exists, for old-1"),
        (
            Target::Stream {
                backing: vec!["x".to_owned()],
                mappings: json!({"properties": {
                    "message": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
                    "log": {"properties": {"level": {"type": "text"}}}
                }}),
                lifecycle: None,
            },
            "log.level.type: the server has text, wanted is keyword",
        ),
    ] {
        let found = Found { target, ..empty(FULL) };
        let text = decide(&config(), &found).unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("ELASTIC_INDEX to another name"), "{text}");
    }
}

#[test]
fn a_stream_whose_mappings_fit_is_taken_over() {
    let mut found = empty(FULL);
    found.target = Target::Stream {
        backing: vec!["x".to_owned()],
        mappings: json!({"properties": {"own": {"type": "long"}}}),
        lifecycle: None,
    };
    let plan = decide(&config(), &found).unwrap();
    assert!(plan.roll_over);
}

#[test]
fn somebody_elses_objects_are_refused_together() {
    let mut found = set_up(&config(), FULL);
    for name in ["logs-sentinel@mappings", "logs-sentinel@settings"] {
        let component = body(&mut found, Kind::Component, name);
        *component = json!({"template": {"settings": {"index": {"codec": "default"}}}});
    }
    let names: Vec<String> = refusals(&config(), &found)
        .into_iter()
        .map(|refusal| match refusal {
            Refusal::Object { name, .. } => name,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(names, ["logs-sentinel@mappings", "logs-sentinel@settings"]);
}

#[test]
fn the_same_content_without_a_mark_is_adopted() {
    let mut found = set_up(&config(), FULL);
    let template = body(&mut found, Kind::Template, "logs-sentinel");
    template.as_object_mut().unwrap().remove("_meta");
    let plan = decide(&config(), &found).unwrap();
    assert_eq!(verbs(&plan).pop().unwrap(), "adopt logs-sentinel");
}

#[test]
fn templates_that_would_win_are_refused() {
    for (pattern, priority, refused) in [
        ("logs-*", Some(501), true),
        ("logs-*", Some(500), true),
        ("logs-*", Some(499), false),
        ("logs-*", None, false),
        ("logs-*-*", Some(900), false),
        ("*", Some(900), true),
        ("metrics-*", Some(900), false),
        ("logs-sentinel", Some(900), true),
    ] {
        let mut found = empty(FULL);
        let mut body = json!({"index_patterns": ["zz*", pattern]});
        if let Some(priority) = priority {
            body["priority"] = json!(priority);
        }
        found.others.insert("other".to_owned(), body);
        let decided = decide(&config(), &found);
        assert_eq!(decided.is_err(), refused, "{pattern} {priority:?}");
        if let Err(error) = decided {
            let text = error.to_string();
            assert!(text.contains("index template other") && text.contains("ELASTIC_INDEX"), "{text}");
        }
    }
}

#[test]
fn patterns_match_as_the_server_does() {
    for (pattern, name, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "a", true),
        ("*a", "ba", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcdef", false),
        ("*", "ü", true),
        ("*b", "üb", true),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn what_a_name_stands_for() {
    for (answer, expected) in [
        (json!({"indices": [], "aliases": [], "data_streams": []}), None),
        (
            json!({"indices": [{"name": "n", "attributes": ["open"]}], "aliases": [], "data_streams": []}),
            Some(Target::Index),
        ),
        (
            json!({"indices": [], "aliases": [{"name": "n", "indices": ["i"]}], "data_streams": []}),
            Some(Target::Alias { indexes: vec!["i".to_owned()] }),
        ),
        (
            json!({"data_streams": [{"name": "n", "backing_indices": ["a", "b"], "timestamp_field": "@timestamp"}]}),
            Some(Target::Stream {
                backing: vec!["a".to_owned(), "b".to_owned()],
                mappings: Json::Null,
                lifecycle: None,
            }),
        ),
        (
            json!({"data_streams": [{"name": "n", "backing_indices": "a"}]}),
            Some(Target::Stream { backing: vec!["a".to_owned()], mappings: Json::Null, lifecycle: None }),
        ),
        (json!({"indices": [{"name": "another"}]}), None),
    ] {
        assert_eq!(resolved(&answer, "n"), expected, "{answer}");
    }
}

#[test]
fn marks_are_read_back() {
    let wanted = Wanted::new(&config(), FULL).unwrap();
    for object in &wanted.objects {
        let marked = object.marked(7, "stored");
        let mark = Mark::of(object.kind, &marked).unwrap();
        assert_eq!((mark.version, mark.stored.as_str()), (7, "stored"));
        assert_eq!(mark.wanted, hash(object.kind, &marked), "the mark is no part of the content");
        assert_eq!(differences(object.kind, &marked, &object.body), []);
    }
}

#[test]
fn answers_list_objects_as_they_are_written() {
    let body = json!({"template": {}});
    let policy = json!({"policy": {"phases": {}}});
    for (kind, answer, expected) in [
        (Kind::Component, json!({"component_templates": [{"name": "n", "component_template": body}]}), &body),
        (Kind::Template, json!({"index_templates": [{"name": "n", "index_template": body}]}), &body),
        (
            Kind::Policy,
            json!({"n": {"version": 3, "modified_date": "x", "policy": {"phases": {}}, "in_use_by": {}}}),
            &policy,
        ),
    ] {
        assert_eq!(kind.listed(&answer).get("n"), Some(expected));
        assert!(kind.listed(&json!({})).is_empty());
    }
}

#[test]
fn names_are_checked_before_anything_is_sent() {
    for (name, ok) in [
        ("logs-sentinel", true),
        ("logs_2", true),
        ("", false),
        ("Logs", false),
        ("_logs", false),
        (".logs", false),
        ("logs sentinel", false),
        ("logs*", false),
        ("logs,other", false),
        ("a/../b", false),
        (&"x".repeat(201), false),
    ] {
        assert_eq!(check_name(name).is_ok(), ok, "{name}");
    }
}

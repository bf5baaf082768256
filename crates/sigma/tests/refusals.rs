//! Rules that are refused: by file, line, field and reason, and the others are there.

use sigma::{Options, Rules};

const GOOD: &str = "title: good\nlogsource: {product: x}\ndetection: {s: {a: x}, condition: s}\n";

/// Loads a file of a good rule, a bad one, and a good one, and gives what is said of it.
fn refused(bad: &str) -> String {
    let text = format!("{GOOD}---\n{bad}---\n{GOOD}");
    let (rules, errors) = Rules::load([("bad.yml", text.as_str())], &Options::default());
    assert_eq!(rules.rules().len(), 2, "the others are there: {bad}");
    assert_eq!(errors.len(), 1, "{bad}: {errors:?}");
    errors[0].to_string()
}

#[test]
fn a_bad_rule_is_told_with_its_place() {
    let rule =
        |detection: &str| format!("title: bad\nlogsource: {{product: x}}\ndetection:\n  {detection}\n");
    let many = format!("s: {{a: [{}]}}\n  condition: s", vec!["x"; sigma::VALUES_MAX + 1].join(","));
    let expressions =
        format!("s: {{a|re: [{}]}}\n  condition: s", vec!["x"; sigma::EXPRESSIONS_MAX + 1].join(","));
    for (bad, expected) in [
        (rule("s: {a|contians: x}\n  condition: s"), "detection.s.a|contians: unknown modifier \"contians\""),
        (
            rule("s:\n    b: 1\n    a|re: '('\n  condition: s"),
            "bad.yml:10: rule bad: detection.s.a|re: regular",
        ),
        (rule("s: {a|re: '.{1000}.{1000}.{1000}'}\n  condition: s"), "regular expression"),
        (rule("s: {a|cidr: 10.0.0/8}\n  condition: s"), "\"10.0.0/8\" is no network"),
        (rule("s: {a|re|contains: x}\n  condition: s"), "modifier \"re\" does not go with \"contains\""),
        (rule("s: {a|expand: '%x%'}\n  condition: s"), "placeholder %x% has no values"),
        (rule("s: {a|gt: many}\n  condition: s"), "a number is expected"),
        (rule("s: {a|exists: perhaps}\n  condition: s"), "true or false is expected"),
        (rule("s: {a|base64: 'x*'}\n  condition: s"), "cannot be encoded"),
        (rule("s: {a: {b: c}}\n  condition: s"), "text is expected"),
        (rule("s: {a: []}\n  condition: s"), "at least one value"),
        (rule("s: []\n  condition: s"), "at least one value"),
        (rule("s:\n  condition: s"), "a map or a list is expected"),
        (rule("s: {a: x}\n  condition: t"), "nothing in this rule is called \"t\""),
        (rule("s: {a: x}\n  condition: s and"), "ends too soon"),
        (rule("s: {a: x}\n  condition: s | count() > 5"), "aggregations"),
        (rule("s: {a: x}"), "detection.condition: is missing"),
        (rule(&many), "costs too much: more than 20000 values"),
        (rule(&expressions), "costs too much: more than 64 regular expressions"),
        ("title: bad\ndetection: {s: {a: x}, condition: s}\n".to_owned(), "logsource: is missing"),
        ("logsource: {product: x}\ndetection: {s: {a: x}, condition: s}\n".to_owned(), "title: is missing"),
        ("title: bad\nlogsource: {product: x}\n".to_owned(), "a detection, a correlation or a filter"),
        (format!("{GOOD}level: grave\n"), "level: informational, low, medium, high or critical is expected"),
        ("- a\n- b\n".to_owned(), "a map is expected"),
        (
            "title: bad\nlogsource: {product: x}\nfilter: {s: {a: x}, condition: not s}\n".to_owned(),
            "filter.rules: is missing",
        ),
    ] {
        let told = refused(&bad);
        assert!(told.contains(expected), "{bad}\n{told}\n{expected}");
        assert!(told.starts_with("bad.yml:"), "{told}");
    }
}

#[test]
fn a_bad_correlation_is_told() {
    let correlation = |section: &str| format!("title: bad\ncorrelation: {section}\n");
    for (bad, expected) in [
        ("{type: count, rules: [a], timespan: 1m, condition: {gte: 1}}", "correlation.type"),
        ("{type: event_count, rules: [a], timespan: 1x, condition: {gte: 1}}", "\"1x\" is no time span"),
        ("{type: event_count, rules: [a], condition: {gte: 1}}", "correlation.timespan: is missing"),
        ("{type: event_count, rules: [a], timespan: 1m}", "correlation.condition: is missing"),
        ("{type: event_count, timespan: 1m, condition: {gte: 1}}", "correlation.rules: is missing"),
        ("{type: value_count, rules: [a], timespan: 1m, condition: {gte: 1}}", "field: is missing"),
        ("{type: event_count, rules: [a], timespan: 1m, condition: {least: 1}}", "condition.least"),
        (
            "{type: event_count, rules: [a], timespan: 1m, condition: {gte: 1}}",
            "no rule with the id or name \"a\"",
        ),
        (
            "{type: temporal, rules: [a], timespan: 1m, condition: a and b}",
            "nothing in this rule is called \"b\"",
        ),
    ] {
        let told = refused(&correlation(bad));
        assert!(told.contains(expected), "{bad}\n{told}\n{expected}");
    }
}

#[test]
fn correlations_in_circles_and_taken_names() {
    let circle = |name: &str, other: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation: \
             {{type: event_count, rules: [{other}], timespan: 1m, condition: {{gte: 1}}}}\n"
        )
    };
    let text = format!("{}---\n{}---\n{}", circle("a", "b"), circle("b", "a"), circle("c", "c"));
    let (rules, errors) = Rules::load([("circle.yml", text.as_str())], &Options::default());
    assert!(rules.correlations().is_empty());
    assert_eq!(errors.len(), 3);
    assert!(errors.iter().all(|error| error.to_string().contains("circle")), "{errors:?}");

    let text = format!("{GOOD}name: n\n---\n{GOOD}name: n\n");
    let (rules, errors) = Rules::load([("taken.yml", text.as_str())], &Options::default());
    assert_eq!(rules.rules().len(), 1);
    assert!(errors[0].to_string().contains("\"n\" is taken by another rule"), "{errors:?}");
}

#[test]
fn what_is_no_yaml_takes_only_itself_down() {
    let broken = format!("{GOOD}---\na: [1\n---\n{GOOD}");
    let (rules, errors) =
        Rules::load([("broken.yml", broken.as_str()), ("good.yml", GOOD)], &Options::default());
    assert_eq!(rules.rules().len(), 2);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().starts_with("broken.yml:"), "{errors:?}");
}

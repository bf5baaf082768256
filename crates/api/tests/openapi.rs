//! The OpenAPI documents say what the routers do, and hold together.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use access::Needs;
use serde_json::Value;

/// Routes that other crates bring to the collector's listener.
const MERGED: [api::Row; 1] = intake::http::ROUTES;

fn documented(document: &Value) -> BTreeSet<(String, String)> {
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

fn routed(routes: &[api::Row]) -> BTreeSet<(String, String)> {
    routes.iter().map(|(method, path, _)| ((*method).to_owned(), template(path))).collect()
}

/// A path as OpenAPI writes it, which does not tell parameters with slashes from others.
fn template(path: &str) -> String {
    path.replace("{*", "{")
}

fn documents() -> [(Value, Vec<api::Row>); 2] {
    let collector = [
        api::collector_routes(),
        api::keys_routes(),
        api::signals_routes(),
        api::reports_routes(),
        api::alerts_routes(),
        api::rules_routes(),
        api::sql_routes(),
        api::own_routes(),
        api::ingest_routes(),
        api::hosts_routes(),
        api::anomaly_below_routes(),
        MERGED.to_vec(),
    ]
    .concat();
    [
        (serde_json::from_str(api::COLLECTOR_OPENAPI).unwrap(), collector),
        (serde_json::from_str(api::ANOMALY_OPENAPI).unwrap(), api::anomaly_routes()),
    ]
}

#[test]
fn documents_and_routers_name_the_same_routes() {
    for (document, routes) in documents() {
        assert_eq!(documented(&document), routed(&routes), "{}", document["info"]["title"]);
        assert_eq!(routed(&routes).len(), routes.len());
    }
}

#[test]
fn every_operation_is_described_and_every_reference_resolves() {
    for (document, _) in documents() {
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
                for (status, response) in responses {
                    let described = response.get("description").or(response.get("$ref"));
                    assert!(described.is_some(), "{method} {path} {status}");
                }
                let in_path = path.matches('{').count();
                let declared = operation["parameters"].as_array().map_or(0, |parameters| {
                    parameters.iter().filter(|parameter| parameter["in"] == "path").count()
                });
                assert_eq!(in_path, declared, "{method} {path}");
                for tag in operation["tags"].as_array().unwrap() {
                    let known =
                        document["tags"].as_array().unwrap().iter().any(|known| known["name"] == *tag);
                    assert!(known, "{method} {path}: {tag}");
                }
            }
        }
        let mut references = Vec::new();
        collect_references(&document, &mut references);
        assert!(!references.is_empty());
        for reference in &references {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
        }
        let used: BTreeSet<&String> = references.iter().collect();
        for kind in ["schemas", "responses", "parameters"] {
            for name in document["components"][kind].as_object().into_iter().flat_map(|all| all.keys()) {
                assert!(used.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is not used");
            }
        }
    }
}

#[test]
fn documents_say_which_scope_each_route_asks_for() {
    for (document, routes) in documents() {
        for (method, path, needs) in routes {
            let operation = &document["paths"][template(path)][method.to_lowercase()];
            let expected = match needs {
                Needs::Nothing => "none",
                Needs::Key => "any",
                Needs::Scope(scope) | Needs::Whole(scope) => scope.as_str(),
            };
            assert_eq!(operation["x-scope"], expected, "{method} {path}");
            let open = operation["security"].as_array().is_some_and(Vec::is_empty);
            assert_eq!(open, needs == Needs::Nothing, "{method} {path}");
        }
    }
}

/// A value with what its references name in their place.
fn resolved(document: &Value, value: &Value) -> Value {
    match value {
        Value::Object(object) => match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                resolved(document, document.pointer(reference.strip_prefix('#').unwrap()).unwrap())
            }
            None => object.iter().map(|(name, inner)| (name.clone(), resolved(document, inner))).collect(),
        },
        Value::Array(list) => list.iter().map(|inner| resolved(document, inner)).collect(),
        other => other.clone(),
    }
}

#[test]
fn what_stands_below_the_collector_is_described_as_the_service_describes_it() {
    let [(collector, _), (service, _)] = documents();
    let below = api::anomaly_below_routes();
    assert!(below.len() > 20, "{below:?}");
    for (method, path, needs) in below {
        assert!(needs != Needs::Nothing, "{method} {path}");
        let own = path.strip_prefix("/api/v1/anomaly").unwrap();
        let of = |document: &Value, path: &str| {
            resolved(document, &document["paths"][path][method.to_lowercase()])
        };
        assert_eq!(of(&collector, path), of(&service, own), "{method} {path}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.push(reference.clone());
            }
            object.values().for_each(|inner| collect_references(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_references(inner, found)),
        _ => {}
    }
}

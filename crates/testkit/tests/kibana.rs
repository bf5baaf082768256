//! The saved objects of `infra/kibana/` are whole: what no Kibana is needed to see.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

/// Newest versions that every Kibana from 8.9 on imports; newer ones are refused by older servers.
const VERSIONS: &[(&str, &str)] =
    &[("index-pattern", "8.0.0"), ("search", "8.0.0"), ("lens", "8.9.0"), ("dashboard", "8.9.0")];
const COLUMNS: u64 = 48;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn objects() -> Vec<Json> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("infra/kibana")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    assert!(!files.is_empty());
    let text: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'j>(object: &'j Json, pointer: &str) -> &'j str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or_else(|| panic!("no {pointer} in {object}"))
}

fn of_type<'j>(objects: &'j [Json], kind: &str) -> Vec<&'j Json> {
    objects.iter().filter(|object| object["type"] == kind).collect()
}

fn references(object: &Json) -> BTreeMap<&str, (&str, &str)> {
    let list = object["references"].as_array().unwrap();
    let map: BTreeMap<_, _> =
        list.iter().map(|one| (text(one, "/name"), (text(one, "/type"), text(one, "/id")))).collect();
    assert_eq!(map.len(), list.len(), "{}: two references of one name", object["id"]);
    map
}

/// Calls `visit` with every key and value in it, also within texts that are JSON themselves.
fn walk(value: &Json, visit: &mut dyn FnMut(&str, &Json)) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Json::Object(object) => {
            for (key, value) in object {
                visit(key, value);
                if key.ends_with("JSON") {
                    let parsed: Json = serde_json::from_str(value.as_str().unwrap()).unwrap();
                    walk(&parsed, visit);
                } else {
                    walk(value, visit);
                }
            }
        }
        _ => {}
    }
}

/// The full path of every field that the index template maps.
fn mapped_fields() -> BTreeSet<String> {
    fn collect(prefix: &str, properties: &Json, fields: &mut BTreeSet<String>) {
        for (name, field) in properties.as_object().unwrap() {
            let path = format!("{prefix}{name}");
            if field.get("properties").is_some() {
                collect(&format!("{path}."), &field["properties"], fields);
            }
            if field.get("type").is_some() {
                fields.insert(path);
            }
        }
    }
    let file = fs::read(root().join("infra/elastic/mappings.json")).unwrap();
    let file: Json = serde_json::from_slice(&file).unwrap();
    let mut fields = BTreeSet::new();
    collect("", file.pointer("/mappings/properties").unwrap(), &mut fields);
    fields
}

/// The fields that a KQL text names: what stands before a colon or a comparison.
fn kql_fields(query: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || "@._-".contains(c);
    let mut fields = vec![];
    for (at, _) in query.match_indices([':', '<', '>']) {
        let before = query[..at].trim_end();
        if query[..at].matches('"').count().is_multiple_of(2) {
            let name = before.rsplit(|c| !is_name(c)).next().unwrap();
            assert!(!name.is_empty(), "no field before column {at} of {query}");
            fields.push(name);
        }
    }
    fields
}

#[test]
fn every_object_is_of_a_version_that_older_servers_take() {
    let objects = objects();
    let versions: BTreeMap<&str, &str> = VERSIONS.iter().copied().collect();
    let mut ids = BTreeSet::new();
    for object in &objects {
        let kind = text(object, "/type");
        assert_eq!(object["coreMigrationVersion"], "8.8.0");
        assert_eq!(Some(&text(object, "/typeMigrationVersion")), versions.get(kind), "{kind}");
        assert!(!text(object, "/attributes/title").is_empty());
        assert!(ids.insert((kind, text(object, "/id"))), "{kind} {} twice", object["id"]);
    }
    for (kind, _) in VERSIONS {
        assert!(!of_type(&objects, kind).is_empty(), "no {kind}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_is_used() {
    let objects = objects();
    let ids: BTreeSet<(&str, &str)> =
        objects.iter().map(|object| (text(object, "/type"), text(object, "/id"))).collect();
    for object in &objects {
        let id = &object["id"];
        let references = references(object);
        for (name, target) in &references {
            assert!(ids.contains(target), "{id}: {name} leads to {target:?}, which is not there");
        }
        let mut used = BTreeSet::new();
        walk(&object["attributes"], &mut |key, value| {
            if key.ends_with("RefName") && key != "panelRefName" {
                used.insert(value.as_str().unwrap().to_owned());
            }
        });
        if let Some(panels) = object.pointer("/attributes/panelsJSON") {
            let panels: Json = serde_json::from_str(panels.as_str().unwrap()).unwrap();
            for panel in panels.as_array().unwrap() {
                let name = format!("{}:{}", text(panel, "/panelIndex"), text(panel, "/panelRefName"));
                let target = references.get(name.as_str());
                assert_eq!(target.map(|(kind, _)| *kind), Some(text(panel, "/type")), "{id}: {name}");
                used.insert(name);
            }
        }
        if let Some(layers) = object.pointer("/attributes/state/datasourceStates/formBased/layers") {
            used.extend(
                layers
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(|layer| format!("indexpattern-datasource-layer-{layer}")),
            );
        }
        let named: BTreeSet<String> = references.keys().map(|name| (*name).to_owned()).collect();
        assert_eq!(used, named, "{id}: what is named and what is referred to");
    }
}

#[test]
fn panels_fill_the_grid_without_overlap() {
    for dashboard in of_type(&objects(), "dashboard") {
        let panels: Json = serde_json::from_str(text(dashboard, "/attributes/panelsJSON")).unwrap();
        let mut taken = BTreeSet::new();
        let mut indexes = BTreeSet::new();
        for panel in panels.as_array().unwrap() {
            let grid = |key: &str| panel["gridData"][key].as_u64().unwrap();
            let (x, y, w, h) = (grid("x"), grid("y"), grid("w"), grid("h"));
            assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{panel}");
            assert_eq!(panel["gridData"]["i"], panel["panelIndex"]);
            assert!(indexes.insert(text(panel, "/panelIndex").to_owned()));
            for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (column, row))) {
                assert!(taken.insert(cell), "{} covers another panel at {cell:?}", panel["panelIndex"]);
            }
        }
        let rows = taken.iter().map(|(_, row)| row + 1).max().unwrap();
        assert_eq!(taken.len() as u64, rows * COLUMNS, "no hole");
    }
}

#[test]
fn every_field_is_one_that_the_template_maps() {
    let mapped = mapped_fields();
    assert!(mapped.len() > 100);
    let mut named = BTreeSet::new();
    for object in objects() {
        walk(&object, &mut |key, value| match key {
            "sourceField" | "timeFieldName" => drop(named.insert(value.as_str().unwrap().to_owned())),
            "columns" if value.is_array() && object["type"] == "search" => {
                named.extend(value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
            }
            "sort" => named
                .extend(value.as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap().to_owned())),
            "query" if value.is_string() => {
                named.extend(kql_fields(value.as_str().unwrap()).into_iter().map(str::to_owned));
            }
            _ => {}
        });
    }
    assert!(named.remove("___records___"), "counts are of documents");
    assert!(named.len() > 8, "{named:?}");
    for name in named {
        assert!(mapped.contains(&name), "no field {name} in infra/elastic/mappings.json");
    }
}

#[test]
fn lens_columns_are_those_that_are_shown() {
    for lens in of_type(&objects(), "lens") {
        let state = &lens["attributes"]["state"];
        let layers = state["datasourceStates"]["formBased"]["layers"].as_object().unwrap();
        for (id, layer) in layers {
            let columns: BTreeSet<&str> =
                layer["columns"].as_object().unwrap().keys().map(String::as_str).collect();
            let order: Vec<&str> =
                layer["columnOrder"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            assert_eq!(order.len(), columns.len());
            assert_eq!(columns, order.into_iter().collect(), "{}", lens["id"]);
            let mut shown = BTreeSet::new();
            let mut layer_ids = BTreeSet::new();
            walk(&state["visualization"], &mut |key, value| match key {
                "xAccessor" | "splitAccessor" | "metricAccessor" | "columnId" => {
                    shown.insert(value.as_str().unwrap().to_owned());
                }
                "accessors" => {
                    shown.extend(value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
                }
                "layerId" => drop(layer_ids.insert(value.as_str().unwrap().to_owned())),
                _ => {}
            });
            assert_eq!(shown.iter().map(String::as_str).collect::<BTreeSet<_>>(), columns, "{}", lens["id"]);
            assert_eq!(layer_ids, BTreeSet::from([id.clone()]), "{}", lens["id"]);
            for column in layer["columns"].as_object().unwrap().values() {
                if let Some(by) = column.pointer("/params/orderBy/columnId") {
                    assert!(columns.contains(by.as_str().unwrap()), "{}", lens["id"]);
                }
            }
        }
    }
}

#[test]
fn the_page_shows_every_query() {
    let page = fs::read_to_string(root().join("docs/kibana.md")).unwrap();
    for search in of_type(&objects(), "search") {
        let source: Json =
            serde_json::from_str(text(search, "/attributes/kibanaSavedObjectMeta/searchSourceJSON")).unwrap();
        let query = text(&source, "/query/query");
        assert!(page.contains(query), "docs/kibana.md lacks {query}");
    }
}

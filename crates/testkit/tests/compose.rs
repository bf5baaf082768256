//! What `docker-compose.yml` promises about every service: nothing open beyond loopback, nothing
//! unbounded, no right that is not needed, no secret in the file, and an order in which it can start.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_yaml_ng::Value as Yaml;

type Services = BTreeMap<String, Yaml>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn file() -> Yaml {
    let mut file: Yaml = serde_yaml_ng::from_str(&read("docker-compose.yml")).unwrap();
    // What is merged into a service merges something itself.
    for _ in 0..3 {
        file.apply_merge().unwrap();
    }
    file
}

fn services() -> Services {
    let services = serde_yaml_ng::from_value::<Services>(file()["services"].clone()).unwrap();
    assert!(services.len() > 4);
    services
}

fn strings(value: &Yaml) -> Vec<&str> {
    value.as_sequence().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

fn environment(service: &Yaml) -> BTreeMap<&str, &str> {
    let entries = service["environment"].as_mapping().into_iter().flatten();
    entries.map(|(name, value)| (name.as_str().unwrap(), value.as_str().unwrap())).collect()
}

/// What a service waits for, with the condition.
fn waits_for(service: &Yaml) -> BTreeMap<&str, &str> {
    let entries = service["depends_on"].as_mapping().into_iter().flatten();
    entries.map(|(name, how)| (name.as_str().unwrap(), how["condition"].as_str().unwrap())).collect()
}

fn is_one_shot(service: &Yaml) -> bool {
    service["restart"] == "no" && service["healthcheck"].is_null()
}

#[test]
fn only_loopback_is_published() {
    let mut published = BTreeSet::new();
    for (name, service) in services() {
        for port in strings(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
            published.insert(port.rsplit(':').next().unwrap().to_owned());
        }
        for key in ["network_mode", "pid", "ipc", "privileged", "devices", "cap_add", "userns_mode"] {
            assert!(service[key].is_null(), "{name} has {key}");
        }
    }
    assert_eq!(published, ["5601", "8000", "8080"].map(str::to_owned).into());
}

#[test]
fn every_service_is_bounded_and_has_no_rights_to_spare() {
    for (name, service) in services() {
        assert!(service["mem_limit"].is_string(), "{name}: memory");
        assert!(service["pids_limit"].is_number(), "{name}: processes");
        assert!(service["logging"]["options"]["max-size"].is_string(), "{name}: its log");
        assert_eq!(service["read_only"], true, "{name}: root file system");
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        let user = service["user"].as_str().unwrap_or_default().split(':').next().unwrap();
        assert!(user.parse::<u32>().is_ok_and(|user| user != 0), "{name} runs as '{user}'");
        for mount in strings(&service["tmpfs"]) {
            assert!(mount.contains("size="), "{name}: {mount} could fill the memory");
        }
        for mount in strings(&service["volumes"]) {
            assert!(!mount.contains("docker.sock"), "{name}: {mount}");
            let is_of_the_machine =
                mount.starts_with(['.', '~']) || mount.matches(':').count() > 0 && mount.starts_with('/');
            assert!(!is_of_the_machine || mount.ends_with(":ro"), "{name} may write to {mount}");
        }
    }
}

#[test]
fn services_start_in_an_order_that_works() {
    let services = services();
    for (name, service) in &services {
        let has_check = !service["healthcheck"]["test"].is_null();
        // An agent listens nowhere, so there is nothing to ask; who waits for it is told by its samples.
        let cannot_be_asked = name == "agent";
        assert!(
            has_check != (is_one_shot(service) || cannot_be_asked),
            "{name}: a health check, or one shot"
        );
        assert!(is_one_shot(service) || service["restart"] == "unless-stopped", "{name}: comes back");
        for (other, condition) in waits_for(service) {
            let awaited = services.get(other).unwrap_or_else(|| panic!("{name} waits for {other}"));
            let expected =
                if is_one_shot(awaited) { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(condition, expected, "{name} waits for {other}");
        }
    }
    // What waits for nothing that still waits can start; in the end everything has.
    let mut started: BTreeSet<&str> = BTreeSet::new();
    while started.len() < services.len() {
        let ready: Vec<&str> = services
            .iter()
            .filter(|(name, service)| {
                !started.contains(name.as_str())
                    && waits_for(service).keys().all(|other| started.contains(other))
            })
            .map(|(name, _)| name.as_str())
            .collect();
        assert!(!ready.is_empty(), "these wait for each other: all but {started:?}");
        started.extend(ready);
    }
    for (name, before) in [
        ("setup", "elasticsearch"),
        ("collector", "setup"),
        ("collector", "anomaly"),
        ("kibana-import", "kibana"),
    ] {
        assert!(waits_for(&services[name]).contains_key(before), "{name} behind {before}");
    }
}

#[test]
fn secrets_are_files_that_are_made_once() {
    let made = read("infra/docker/passwords");
    let declared: BTreeSet<String> =
        serde_yaml_ng::from_value::<Services>(file()["secrets"].clone()).unwrap().into_keys().collect();
    let mut used = BTreeSet::new();
    for (name, service) in services() {
        let given: BTreeSet<&str> = strings(&service["secrets"]).into_iter().collect();
        used.extend(given.iter().map(|secret| (*secret).to_owned()));
        for (variable, value) in environment(&service) {
            let is_secret = ["PASSWORD", "KEY", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
            if is_secret {
                let secret = value.strip_prefix("/run/secrets/").unwrap_or_default();
                assert!(variable.ends_with("_FILE") && given.contains(secret), "{name}: {variable}={value}");
            }
        }
    }
    assert_eq!(declared, used);
    for secret in declared {
        assert!(made.contains(&secret), "infra/docker/passwords does not make {secret}");
    }
}

#[test]
fn what_strangers_reach_asks_for_a_key() {
    let services = services();
    for name in ["anomaly", "collector"] {
        assert_eq!(environment(&services[name])["API_KEYS_FILE"], "/run/secrets/api_keys", "{name}");
        assert!(!environment(&services[name]).contains_key("LOG_SENTINEL_TRUST_NETWORK"), "{name}");
    }
    let reach: Vec<&str> = services
        .iter()
        .filter(|(_, service)| strings(&service["networks"]).contains(&"scoring"))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(reach, ["anomaly", "collector"], "nobody else reaches 50051");
    assert_eq!(strings(&services["anomaly"]["networks"]), ["scoring"], "nor by another network");
}

#[test]
fn passwords_are_kept_and_taken_from_where_they_were() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("passwords");
    // Left over from a run before, if at all.
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all(&dir).unwrap();
    let (folder, env) = (dir.join("secrets"), dir.join("env"));
    fs::write(&env, "KIBANA_PASSWORD=from-before\nAPI_KEYS=\n").unwrap();
    let run = || {
        let script = root().join("infra/docker/passwords");
        let status = std::process::Command::new("sh").arg(script).arg(&folder).arg(&env).output().unwrap();
        assert!(status.status.success(), "{status:?}");
    };
    run();
    let secret = |name: &str| fs::read_to_string(folder.join(name)).unwrap().trim_end().to_owned();
    assert_eq!(secret("kibana_password"), "from-before");
    let key = secret("api_keys");
    assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    run();
    assert_eq!(secret("api_keys"), key, "what is there stays");
}

#[test]
fn the_collector_may_do_what_the_pages_say() {
    let accounts = read("infra/docker/accounts");
    let rights = ["create_doc", "delete", "read", "view_index_metadata", "monitor", "maintenance"];
    for right in rights {
        assert!(accounts.contains(&format!("\"{right}\"")), "{right}");
    }
    assert_eq!(services()["kibana"]["mem_limit"], "${KIBANA_MEMORY:-2g}");
}

#[test]
fn our_services_are_given_settings_that_exist() {
    let tables = ["table.rs", "table_of_agent.rs", "table_of_signals.rs"];
    let settings = tables.map(|table| read(&format!("crates/app/src/settings/{table}"))).concat();
    let mut ours = 0;
    for (name, service) in services() {
        if service["image"] != "log-sentinel" {
            let image = service["image"].as_str().unwrap();
            assert!(image.contains(":${ELASTICSEARCH_VERSION:-8."), "{name}: {image} is of one version");
            continue;
        }
        ours += 1;
        let environment = environment(&service);
        for variable in environment.keys() {
            let setting = variable.strip_suffix("_FILE").unwrap_or(variable);
            assert!(settings.contains(&format!("\"{setting}\"")), "{name}: no setting {variable}");
        }
        if let Some(hosts) = environment.get("LOG_SENTINEL_ALLOWED_HOSTS") {
            assert!(hosts.split(',').any(|host| host == name), "{name} answers to {hosts}");
        }
        assert_eq!(service["user"], "65534:65534", "the image's own user");
        assert_eq!(service["build"]["dockerfile"], "infra/docker/Dockerfile");
    }
    assert_eq!(ours, 4);
}

#[test]
fn every_volume_is_declared_and_used() {
    let declared: BTreeSet<String> = file()["volumes"]
        .as_mapping()
        .unwrap()
        .keys()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    let mut used = BTreeSet::new();
    for service in services().values() {
        for mount in strings(&service["volumes"]) {
            // `${NAME:-default}` is its default here.
            let set = mount.strip_prefix("${").and_then(|rest| rest.split_once(":-")?.1.split_once('}'));
            let source = set.map_or_else(|| mount.split(':').next().unwrap(), |(default, _)| default);
            if source.starts_with(['.', '/']) {
                let is_there = source.starts_with('/') || root().join(source).exists();
                assert!(is_there, "{source} is not there");
            } else {
                used.insert(source.to_owned());
            }
        }
    }
    assert_eq!(declared, used);
}

#[test]
fn the_image_is_one_binary_without_rights() {
    let dockerfile = read("infra/docker/Dockerfile");
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    for line in ["base AS built", "USER 65534:65534", "COPY --from=builder --chown=65534:65534"] {
        assert!(last.contains(line), "{line}");
    }
    assert!(dockerfile.contains("\nFROM scratch AS base\n"));
    let context = read(".dockerignore");
    assert!(context.lines().any(|line| line == "*"), "nothing goes into a build that is not named");
    assert!(!context.contains("!.env"));
}

//! Containers by their control groups (Documentation/admin-guide/cgroup-v2.rst of the kernel). Control groups of the
//! first version are not read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    kernel::Kernel,
    number::{lines, number, words},
};
use crate::{rate::per_second, reading::Container};

/// More groups are not looked into.
const GROUPS_MAX: usize = 4096;
const DEPTH_MAX: usize = 6;
/// More containers are left out.
const CONTAINERS_MAX: usize = 256;
/// New containers are looked for at every so many readings.
const LOOKED_FOR: u32 = 6;

/// A container that is known.
#[derive(Debug)]
struct Known {
    name: String,
    group: PathBuf,
    used_us: Option<u64>,
}

/// Finds containers, and remembers what they have used.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    known: BTreeMap<String, Known>,
    readings: u32,
}

impl Reader {
    pub(crate) fn read(&mut self, kernel: &mut Kernel, elapsed: Duration) -> Vec<Container> {
        if self.readings.is_multiple_of(LOOKED_FOR) {
            self.look(kernel);
        }
        self.readings = self.readings.wrapping_add(1);
        let mut found = vec![];
        self.known.retain(|_, known| {
            let used = kernel.file(&known.group.join("cpu.stat")).ok().and_then(used_us);
            let memory = kernel.file(&known.group.join("memory.current")).ok();
            let memory_bytes = memory.and_then(|text| number(text.trim_ascii()));
            let before = std::mem::replace(&mut known.used_us, used);
            let rate = before.zip(used).and_then(|(before, now)| per_second(before, now, elapsed));
            let is_there = used.is_some() || memory_bytes.is_some();
            if is_there {
                let cpu_percent = rate.map(|us_s| us_s / 10_000.0);
                found.push(Container { name: known.name.clone(), cpu_percent, memory_bytes });
            }
            is_there
        });
        found
    }

    fn look(&mut self, kernel: &mut Kernel) {
        let root = kernel.roots().sys.join("fs/cgroup");
        if !root.join("cgroup.controllers").exists() {
            return;
        }
        let mut folders = vec![(root, 0)];
        let mut looked_into = 0;
        while let Some((folder, depth)) = folders.pop() {
            looked_into += 1;
            if looked_into > GROUPS_MAX || self.known.len() >= CONTAINERS_MAX {
                break;
            }
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let path = entry.path();
                match entry.file_name().to_str().and_then(id_of) {
                    // What a container makes below itself is part of it.
                    Some(id) if !self.known.contains_key(id) => {
                        let name = name_of(kernel, id).unwrap_or_else(|| id[..12].to_owned());
                        self.known.insert(id.to_owned(), Known { name, group: path, used_us: None });
                    }
                    Some(_) => {}
                    None if depth < DEPTH_MAX => folders.push((path, depth + 1)),
                    None => {}
                }
            }
        }
    }
}

/// The id in the name of a control group: 64 hexadecimal digits. Podman's own watcher is no container.
pub(crate) fn id_of(group: &str) -> Option<&str> {
    let name = group.strip_suffix(".scope").unwrap_or(group);
    let id = name.rsplit('-').next()?;
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && !name.contains("conmon")).then_some(id)
}

fn used_us(text: &[u8]) -> Option<u64> {
    words(lines(text).find_map(|line| line.strip_prefix(b"usage_usec"))?).next().and_then(number)
}

/// What Docker or Podman says of an id.
fn name_of(kernel: &mut Kernel, id: &str) -> Option<String> {
    let lib = kernel.roots().lib.clone();
    let clean = |name: &str| {
        let name = name.trim_start_matches('/');
        (!name.is_empty() && name.len() <= 128 && !name.chars().any(char::is_control))
            .then(|| name.to_owned())
    };
    let docker = kernel.file(&lib.join("docker/containers").join(id).join("config.v2.json"));
    if let Ok(text) = docker {
        let said: serde_json::Value = serde_json::from_slice(text).ok()?;
        return clean(said["Name"].as_str()?);
    }
    let podman = Path::new("containers/storage/overlay-containers/containers.json");
    let said: serde_json::Value = serde_json::from_slice(kernel.file(&lib.join(podman)).ok()?).ok()?;
    let found = said.as_array()?.iter().find(|one| one["id"] == id)?;
    clean(found["names"][0].as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roots;

    #[test]
    fn containers_are_found_measured_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let (sys, lib) = (dir.path().join("sys"), dir.path().join("lib"));
        let [web, job] = ["a", "b"].map(|digit| digit.repeat(64));
        let put = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let groups = sys.join("fs/cgroup");
        put(groups.join("cgroup.controllers"), "cpu memory\n");
        let group = groups.join(format!("system.slice/docker-{web}.scope"));
        put(group.join("cpu.stat"), "usage_usec 1000000\nuser_usec 1\n");
        put(group.join("memory.current"), "4096\n");
        put(groups.join(format!("machine.slice/libpod-conmon-{job}.scope/memory.current")), "1\n");
        put(groups.join(format!("machine.slice/libpod-{job}.scope/memory.current")), "8192\n");
        put(lib.join(format!("docker/containers/{web}/config.v2.json")), "{\"Name\":\"/web\"}");
        let mut kernel = Kernel::new(Roots { sys, lib, ..Roots::default() });
        let mut reader = Reader::default();
        assert_eq!(reader.read(&mut kernel, Duration::ZERO).len(), 2);
        put(group.join("cpu.stat"), "usage_usec 1500000\n");
        let second = reader.read(&mut kernel, Duration::from_secs(1));
        assert_eq!(
            second[0],
            Container { name: "web".into(), cpu_percent: Some(50.0), memory_bytes: Some(4096) }
        );
        assert_eq!((second[1].name.as_str(), second[1].memory_bytes), ("bbbbbbbbbbbb", Some(8192)));
        fs::remove_dir_all(&group).unwrap();
        assert_eq!(reader.read(&mut kernel, Duration::from_secs(1)).len(), 1);
    }
}

//! Which container a control group belongs to, by the paths that runtimes give them.

/// Digits of an id that are shown, as `docker ps` does.
const SHOWN: usize = 12;

/// What stands before the id in the last part of a path: Docker, Podman, containerd and CRI-O under systemd.
const BEFORE_ID: &[&str] = &["docker-", "libpod-", "cri-containerd-", "crio-"];

/// The id, cut to what is shown, or the name that LXC gives.
pub(crate) fn of(cgroup: &str) -> Option<&str> {
    for part in cgroup.rsplit('/') {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = BEFORE_ID.iter().find_map(|before| part.strip_prefix(before)).unwrap_or(part);
        if id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return id.get(..SHOWN);
        }
        if let Some(name) = part.strip_prefix("lxc.payload.").filter(|name| !name.is_empty()) {
            return Some(name);
        }
    }
    let (_, below) = cgroup.split_once("/lxc/")?;
    below.split('/').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_the_paths_of_their_runtimes() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for path in [
            format!("/system.slice/docker-{id}.scope"),
            format!("/docker/{id}"),
            format!("/machine.slice/libpod-{id}.scope/container"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
        ] {
            assert_eq!(of(&path), Some("0123456789ab"), "{path}");
        }
        assert_eq!(of("/lxc.payload.web/init.scope"), Some("web"));
        assert_eq!(of("/lxc/web/init"), Some("web"));
        assert_eq!(of("/system.slice/ssh.service"), None);
    }
}

//! `/proc/PID/status` and `/proc/PID/cgroup`: lines of a name and what belongs to it.

/// What is read of `status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) real_uid: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) capabilities: u64,
    pub(crate) traced_by: Option<u32>,
}

impl Status {
    /// Lines that are missing or of another form count as zero. The name, the one line that a process decides, comes with its line
    /// ends escaped by the kernel.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut status = Self::default();
        for line in text.split(|&b| b == b'\n') {
            let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
            let (name, rest) = line.split_at(colon);
            let values: Vec<&str> = std::str::from_utf8(rest.get(1..).unwrap_or_default())
                .unwrap_or_default()
                .split_ascii_whitespace()
                .collect();
            let number = |place: usize| {
                values.get(place).and_then(|text| text.parse::<u32>().ok()).unwrap_or_default()
            };
            match name {
                b"Uid" => (status.real_uid, status.uid) = (number(0), number(1)),
                b"Gid" => status.gid = number(1),
                b"CapEff" => {
                    status.capabilities = values
                        .first()
                        .and_then(|text| u64::from_str_radix(text, 16).ok())
                        .unwrap_or_default();
                }
                b"TracerPid" => status.traced_by = Some(number(0)).filter(|&pid| pid != 0),
                _ => {}
            }
        }
        status
    }
}

/// The path of a process in the control groups: of the one hierarchy (`0::/…`), else of systemd's own.
pub(crate) fn cgroup(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut of_systemd = None;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if !path.starts_with('/') {
            continue;
        }
        if number == "0" && controllers.is_empty() && path != "/" {
            return Some(path.to_owned());
        }
        if controllers == "name=systemd" || of_systemd.is_none() {
            of_systemd = Some(path.to_owned());
        }
    }
    of_systemd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_capabilities_and_tracers_are_read() {
        let text = b"Name:\tsh\nTracerPid:\t17\nUid:\t1000\t0\t0\t0\nGid:\t1000\t5\t5\t5\nCapEff:\t0000000000080004\n";
        let status = Status::parse(text);
        assert_eq!(
            status,
            Status { real_uid: 1000, uid: 0, gid: 5, capabilities: 0x80004, traced_by: Some(17) }
        );
    }

    #[test]
    fn the_one_hierarchy_of_control_groups_comes_before_others() {
        assert_eq!(
            cgroup(b"1:name=systemd:/a.slice\n0::/b.slice/c.service\n").as_deref(),
            Some("/b.slice/c.service")
        );
        assert_eq!(cgroup(b"4:memory:/x\n1:name=systemd:/a.slice\n0::/\n").as_deref(), Some("/a.slice"));
        assert_eq!(cgroup(b"0::/\n").as_deref(), Some("/"));
        assert_eq!(cgroup(b"nothing"), None);
    }
}

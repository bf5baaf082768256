//! Programs and folders that the rules know. These are lists to begin with, of what is common on Linux; what is missing here is told too
//! often, or not.

use process::Process;

/// Where packages put programs.
const INSTALLED: &[&str] =
    &["/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/snap/", "/nix/store/", "/gnu/store/"];
/// Where everybody may write, and nothing is installed.
const OPEN: &[&str] = &["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/run/lock/"];

pub(crate) const SHELLS: &[&str] =
    &["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "tcsh", "csh", "rbash"];
/// What makes a shell of a connection.
pub(crate) const PIPES: &[&str] = &["nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "socat"];
/// What fetches, or opens a way to elsewhere.
pub(crate) const FETCHERS: &[&str] = &["curl", "wget", "ftp", "tftp", "telnet", "ncftpget", "aria2c"];
pub(crate) const SERVERS: &[&str] = &[
    "nginx",
    "apache2",
    "httpd",
    "lighttpd",
    "caddy",
    "haproxy",
    "envoy",
    "php-fpm",
    "uwsgi",
    "gunicorn",
    "redis-server",
    "valkey-server",
    "memcached",
    "mongod",
    "mysqld",
    "mariadbd",
    "postgres",
    "named",
    "exim4",
    "dnsmasq",
];
/// Servers that start a shell for what they are told in their own settings.
pub(crate) const SERVERS_WITH_COMMANDS: &[&str] = &["postgres", "php-fpm", "uwsgi", "exim4", "dnsmasq"];
pub(crate) const OFFICES: &[&str] = &["soffice.bin", "evince", "okular", "thunderbird", "atril", "xpdf"];
pub(crate) const SCHEDULERS: &[&str] = &["cron", "crond", "atd", "anacron"];
pub(crate) const DEBUGGERS: &[&str] = &[
    "gdb",
    "gdbserver",
    "lldb",
    "lldb-server",
    "strace",
    "ltrace",
    "rr",
    "perf",
    "valgrind",
    "dlv",
    "bpftrace",
];
/// What compiles programs and runs them where it made them.
pub(crate) const BUILDERS: &[&str] = &[
    "cargo",
    "rustc",
    "rustdoc",
    "go",
    "make",
    "gmake",
    "ninja",
    "cmake",
    "ctest",
    "meson",
    "bazel",
    "gcc",
    "cc",
    "configure",
    "dpkg-buildpackage",
    "rpmbuild",
    "pip",
    "pip3",
    "node-gyp",
];
/// What installs packages, and runs whatever is in them.
pub(crate) const PACKAGERS: &[&str] = &[
    "dpkg",
    "apt",
    "apt-get",
    "aptitude",
    "rpm",
    "dnf",
    "yum",
    "zypper",
    "pacman",
    "apk",
    "snapd",
    "flatpak",
    "unattended-upgr",
    "debconf",
    "frontend",
    "update-alternatives",
    "ldconfig",
    "dpkg-deb",
];
/// What starts whatever it is told: the first process, schedulers, containers, terminals, and what runs one command for another.
pub(crate) const STARTERS: &[&str] = &[
    "systemd",
    "init",
    "tini",
    "dumb-init",
    "runit",
    "s6-svscan",
    "supervisord",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "runc",
    "crun",
    "conmon",
    "docker",
    "dockerd",
    "podman",
    "docker-init",
    "catatonit",
    "cron",
    "crond",
    "atd",
    "anacron",
    "run-parts",
    "sudo",
    "su",
    "doas",
    "env",
    "nice",
    "ionice",
    "nohup",
    "timeout",
    "setsid",
    "xargs",
    "find",
    "parallel",
    "strace",
    "ltrace",
    "gdb",
    "perf",
    "watch",
    "script",
    "time",
    "flock",
    "stdbuf",
    "unshare",
    "nsenter",
    "chroot",
    "setpriv",
    "runuser",
    "systemd-run",
    "screen",
    "tmux",
    "git",
    "ssh",
    "vim",
    "vi",
    "nano",
    "emacs",
    "less",
    "man",
    "mc",
    "java",
    "dbus-daemon",
    "gnome-shell",
    "kwin_wayland",
    "plasmashell",
    "code",
    "busybox",
    "toybox",
    "procmond",
    "log-sentinel",
    "log-sentinel-agent",
];
/// Programs that change users, wherever a distribution puts them.
pub(crate) const SET_UID: &[&str] = &[
    "su",
    "sudo",
    "sudoedit",
    "passwd",
    "chsh",
    "chfn",
    "chage",
    "expiry",
    "gpasswd",
    "newgrp",
    "newuidmap",
    "newgidmap",
    "mount",
    "umount",
    "mount.nfs",
    "mount.cifs",
    "fusermount",
    "fusermount3",
    "ping",
    "ping6",
    "traceroute6.iputils",
    "pkexec",
    "polkit-agent-helper-1",
    "dbus-daemon-launch-helper",
    "ssh-keysign",
    "unix_chkpwd",
    "pam_timestamp_check",
    "crontab",
    "at",
    "doas",
    "Xorg.wrap",
    "chrome-sandbox",
    "snap-confine",
    "bwrap",
    "ntfs-3g",
    "exim4",
    "sendmail",
    "procmail",
    "pppd",
    "vmware-user-suid-wrapper",
    "VBoxHeadless",
    "grub2-set-bootflag",
    "utempter",
    "userhelper",
];
/// Services that are programs of their own, by which others are mistaken for them.
pub(crate) const SERVICES: &[&str] = &[
    "systemd",
    "systemd-journald",
    "systemd-logind",
    "systemd-networkd",
    "systemd-resolved",
    "systemd-timesyncd",
    "systemd-udevd",
    "systemd-oomd",
    "sshd",
    "sshd-session",
    "cron",
    "crond",
    "atd",
    "agetty",
    "login",
    "auditd",
    "rsyslogd",
    "dbus-daemon",
    "dbus-broker",
    "polkitd",
    "NetworkManager",
    "udevd",
    "chronyd",
    "containerd",
    "dockerd",
    "irqbalance",
    "su",
    "sudo",
];
/// Programs that take the names of scripts, or of many programs in one.
pub(crate) const OF_MANY_NAMES: &[&str] = &["busybox", "toybox", "systemd", "coreutils"];
/// Names of threads of the kernel.
pub(crate) const KERNEL_THREADS: &[&str] = &[
    "kthreadd",
    "kworker",
    "ksoftirqd",
    "migration",
    "rcu_sched",
    "rcu_preempt",
    "rcu_gp",
    "kswapd",
    "kcompactd",
    "khugepaged",
    "kdevtmpfs",
    "kauditd",
    "khungtaskd",
    "oom_reaper",
    "jbd2",
    "watchdogd",
    "kblockd",
    "kintegrityd",
    "cpuhp",
    "idle_inject",
    "writeback",
    "scsi_eh",
];

/// The last part of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a process runs, by the name of its file without a version, such as `python` for `/usr/bin/python3.12`; its own name where it
/// has no file.
pub(crate) fn program(process: &Process) -> &str {
    let name = process.executable.as_deref().map_or(&*process.name, base);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    match bare {
        "" => name,
        // A version, and not a part of the name.
        "python" | "perl" | "ruby" | "php" | "lua" | "php-fpm" | "tclsh" => bare,
        _ => name,
    }
}

pub(crate) fn is_installed(path: &str) -> bool {
    INSTALLED.iter().any(|folder| path.starts_with(folder)) && !path.starts_with("/usr/local/tmp/")
}

pub(crate) fn is_open(path: &str) -> bool {
    OPEN.iter().any(|folder| path.starts_with(folder))
}

pub(crate) fn is_interpreter(program: &str) -> bool {
    SHELLS.contains(&program)
        || PIPES.contains(&program)
        || matches!(
            program,
            "python" | "perl" | "ruby" | "php" | "lua" | "node" | "tclsh" | "awk" | "gawk" | "mawk"
        )
}

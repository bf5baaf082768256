//! Changes of who may do what, and of what tells of it.

use finding::{FindingKind, fact};
use signal::narrative::System;

use super::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    [accounts(), keys(), sudoers(), schedules(), starts(), logs()].into_iter().flatten().collect()
}

fn accounts() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::AccountChanged, rule);
    vec![
        of("one user", "account_changed")
            .host("gate")
            .user("ann")
            .facts(fact::ACCOUNTS, &["ann"])
            .facts(fact::CHANGES, &["user creation"]),
        of("many changes", "account_changed")
            .times(14, 900)
            .host("gate")
            .user("u1")
            .facts(fact::ACCOUNTS, &["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "u10"])
            .facts(fact::GROUPS, &["staff"])
            .facts(
                fact::CHANGES,
                &["user creation", "user deletion", "user change", "group creation", "group deletion"],
            )
            .earlier(9, 9, "2024-04-28T10:00:00Z"),
        of("into the group of administrators", "administrator_made")
            .host("gate")
            .user("ann")
            .facts(fact::ACCOUNTS, &["ann"])
            .facts(fact::GROUPS, &["sudo"])
            .facts(fact::CHANGES, &["group change"]),
        of("by a command", "administrator_made")
            .host("gate")
            .user("bob")
            .facts(fact::COMMAND_LINES, &["/usr/sbin/usermod -aG docker ann"])
            .system(System::RedHat),
        of("nothing is known, a hostile name", "account_changed")
            .facts(fact::ACCOUNTS, &["ann $(id)"])
            .facts(fact::CHANGES, &["group change"])
            .system(System::Unknown),
    ]
}

fn keys() -> Vec<Case> {
    let of = |name| case(name, FindingKind::SshKeyAdded, "ssh_key_added");
    vec![
        of("a file").host("gate").facts(fact::FILES, &["/root/.ssh/authorized_keys"]),
        of("by a command")
            .host("gate")
            .user("ann")
            .facts(fact::COMMAND_LINES, &["/usr/bin/tee -a /root/.ssh/authorized_keys"]),
        of("several files, one of a hostile name")
            .times(2, 30)
            .facts(fact::FILES, &["/home/a b;reboot/.ssh/authorized_keys", "/root/.ssh/authorized_keys"]),
    ]
}

fn sudoers() -> Vec<Case> {
    let of = |name| case(name, FindingKind::SudoersChanged, "sudoers_changed");
    vec![
        of("by visudo").host("gate").user("ann").facts(fact::COMMAND_LINES, &["/usr/sbin/visudo"]),
        of("a file").times(2, 5).host("gate").facts(fact::FILES, &["/etc/sudoers.d/ann"]),
        of("nothing is known").earlier(1, 0, "2024-04-28T10:00:00Z"),
    ]
}

fn schedules() -> Vec<Case> {
    let of = |name| case(name, FindingKind::CronChanged, "cron_changed");
    vec![
        of("of a user").host("gate").user("ann"),
        of("by a command")
            .host("gate")
            .user("ann")
            .facts(fact::COMMAND_LINES, &["/usr/bin/crontab -e"])
            .system(System::RedHat),
        of("a file")
            .times(3, 400)
            .host("gate")
            .facts(fact::FILES, &["/etc/cron.d/job"])
            .system(System::Unknown),
    ]
}

fn starts() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::PersistenceAdded, rule);
    vec![
        of("a unit", "unit_added")
            .host("gate")
            .facts(fact::FILES, &["/etc/systemd/system/sync.service"])
            .facts(fact::STARTED, &["/usr/local/bin/sync --all"]),
        of("a unit of a package", "unit_installed")
            .host("gate")
            .facts(fact::FILES, &["/usr/lib/systemd/system/nginx.service"])
            .system(System::RedHat),
        of("a library", "preload_added")
            .host("gate")
            .facts(fact::FILES, &["/etc/ld.so.preload"])
            .facts(fact::STARTED, &["/usr/lib/libx.so"]),
        of("by a command", "preload_added")
            .host("gate")
            .user("ann")
            .facts(fact::COMMAND_LINES, &["/usr/bin/tee /etc/ld.so.preload"]),
        of("a script of the start", "local_boot_script_added")
            .times(2, 30)
            .host("gate")
            .facts(fact::FILES, &["/etc/rc.local"])
            .system(System::Unknown),
        of("scripts of logins, one of a hostile name", "login_script_added")
            .times(2, 30)
            .facts(fact::FILES, &["/etc/profile.d/a b;reboot.sh", "/etc/profile.d/b.sh"]),
    ]
}

fn logs() -> Vec<Case> {
    let of = |name, rule| case(name, FindingKind::LogTampering, rule);
    vec![
        of("removed", "logs_removed")
            .host("gate")
            .user("ann")
            .facts(fact::COMMAND_LINES, &["/usr/bin/rm -f /var/log/auth.log"]),
        of("stopped by a command", "logging_stopped")
            .host("gate")
            .user("root")
            .facts(fact::COMMAND_LINES, &["/bin/systemctl stop rsyslog", "/sbin/auditctl -D"])
            .times(2, 3),
        of("the audit ended", "logging_stopped").host("gate").system(System::RedHat),
        of("damaged", "logs_damaged").host("gate").said(
            "File /var/log/journal/x/system.journal corrupted or uncleanly shut down, renaming and replacing.",
        ),
        of("vanished", "logs_vanished").host("gate").facts(fact::FILES, &["/var/log/auth.log"]),
        of("emptied", "log_emptied").times(2, 3).host("gate"),
        of("the clock", "clock_changed")
            .times(2, 7)
            .host("gate")
            .said("Time has been changed")
            .zone("America/Sao_Paulo"),
    ]
}

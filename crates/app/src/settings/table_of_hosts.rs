//! Settings of hosts that send samples.

use super::setting::{Setting, setting};

/// Those settings, in the order in which people meet them.
pub(super) const HOSTS: &[Setting] = &[
    setting(
        "LOG_SENTINEL_HOSTS_THRESHOLDS",
        "true",
        "Whether samples of hosts are held against thresholds, and silent agents told.",
    ),
    setting(
        "LOG_SENTINEL_HOSTS_SILENT_AFTER",
        "3m",
        "An agent that was not heard of for this long, and for three of its intervals, is silent.",
    ),
    setting(
        "LOG_SENTINEL_HOSTS_RAISE_AGAIN_AFTER",
        "1m",
        "What has come below its threshold is not told again within this time.",
    ),
    setting(
        "LOG_SENTINEL_HOSTS_KEEP_10S",
        "48h",
        "How long what was measured on hosts is kept for every 10 s.",
    ),
    setting("LOG_SENTINEL_HOSTS_KEEP_1M", "14d", "How long it is kept for every minute."),
    setting("LOG_SENTINEL_HOSTS_KEEP_10M", "90d", "How long it is kept for every ten minutes."),
    setting("LOG_SENTINEL_HOSTS_KEEP_1H", "730d", "How long it is kept for every hour."),
    setting(
        "LOG_SENTINEL_HOSTS_MAX",
        "10000",
        "Agents that are known at most; samples of a further one are refused.",
    ),
    setting(
        "LOG_SENTINEL_HOSTS_SERIES_MAX",
        "2000",
        "Series of one agent; numbers of a sample beyond them are named in its answer, and their history is not kept.",
    ),
    setting("LOG_SENTINEL_PROCESSES_RULES", "true", "Whether rules look at changes of processes of hosts."),
    setting(
        "LOG_SENTINEL_PROCESSES_SOCKET",
        "/run/log-sentinel/procmond.sock",
        "Where procmond is asked for this machine's processes with `run --system`; without it they are read without privileges.",
    ),
    setting(
        "LOG_SENTINEL_PROCESSES_LEARN",
        "3d",
        "How long a program must have been seen on a host before what it usually starts and takes is known.",
    ),
    setting("LOG_SENTINEL_PROCESSES_KEEP", "7d", "How long changes of processes of hosts are kept."),
    setting(
        "LOG_SENTINEL_PROCESSES_MAX",
        "1000000",
        "Changes of processes that are kept of all hosts together; the oldest go first, and questions that reach back to them say so.",
    ),
    setting(
        "LOG_SENTINEL_HOSTS_LABELS_MAX",
        "256",
        "Names (mounts, interfaces, services, numbers of other names) that each group of a sample may have; more are named in its answer and left out.",
    ),
];

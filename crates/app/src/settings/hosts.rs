//! The group of settings of hosts that send samples.

use std::path::PathBuf;

use fleet::Tier;

use super::value::Reader;

/// What is kept of hosts.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    pub fleet: fleet::Config,
    /// Where procmond is asked, where this machine's own processes are told.
    pub processes_socket: PathBuf,
    /// What a sample may hold.
    pub limits: ::sample::Limits,
}

impl Hosts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let names = [
            "LOG_SENTINEL_HOSTS_KEEP_10S",
            "LOG_SENTINEL_HOSTS_KEEP_1M",
            "LOG_SENTINEL_HOSTS_KEEP_10M",
            "LOG_SENTINEL_HOSTS_KEEP_1H",
        ];
        let kept = names.map(|name| reader.duration(name));
        let tiers: Vec<Tier> =
            Tier::ALL.into_iter().zip(kept).map(|(tier, keep)| Tier { keep, ..tier }).collect();
        if !tiers.is_sorted_by_key(|tier| tier.keep) {
            reader.misfit(
                &names,
                "LOG_SENTINEL_HOSTS_KEEP_10S, _1M, _10M and _1H must each be at least as long as the one before"
                    .to_owned(),
            );
        }
        let fleet = fleet::Config {
            agents_max: reader.count("LOG_SENTINEL_HOSTS_MAX", 1, 1_000_000),
            series_max: reader.count("LOG_SENTINEL_HOSTS_SERIES_MAX", 10, 1_000_000),
            tiers,
            silent_after: reader.duration("LOG_SENTINEL_HOSTS_SILENT_AFTER"),
            is_watching: reader.flag("LOG_SENTINEL_HOSTS_THRESHOLDS"),
            raise_again_after: reader.duration("LOG_SENTINEL_HOSTS_RAISE_AGAIN_AFTER"),
            is_judging_processes: reader.flag("LOG_SENTINEL_PROCESSES_RULES"),
            processes_learn: reader.duration("LOG_SENTINEL_PROCESSES_LEARN"),
            processes_keep: reader.duration("LOG_SENTINEL_PROCESSES_KEEP"),
            processes_max: reader.count("LOG_SENTINEL_PROCESSES_MAX", 1_000, 1_000_000_000),
            ..fleet::Config::default()
        };
        let limits = ::sample::Limits {
            labels_max: reader.count("LOG_SENTINEL_HOSTS_LABELS_MAX", 8, 100_000),
            ..::sample::Limits::default()
        };
        let processes_socket = reader.path("LOG_SENTINEL_PROCESSES_SOCKET");
        Self { fleet, processes_socket, limits }
    }
}

//! The one list of settings.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Its name in the environment and in `.env`.
    pub name: &'static str,
    /// Its default as text; empty means unset. `{state}` stands for the state directory of the user.
    pub default: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// Whether its value must never be shown. A secret can also be given as a file by `NAME_FILE`.
    pub secret: bool,
}

impl Setting {
    /// Its name in `log-sentinel.yaml`: lower case, without the common prefix.
    pub(crate) fn key(&self) -> String {
        self.name.strip_prefix("LOG_SENTINEL_").unwrap_or(self.name).to_ascii_lowercase()
    }

    /// Its flag, without the dashes.
    pub(crate) fn flag(&self) -> String {
        self.key().replace('_', "-")
    }
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help, secret: false }
}

const fn secret(name: &'static str, help: &'static str) -> Setting {
    Setting { name, default: "", help, secret: true }
}

/// Every setting there is, in the order in which people meet them.
pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "LOG_SENTINEL_ADDR",
        "127.0.0.1:8080",
        "Where logs come in and searches are answered. Port 0 takes a free one.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_ADDR",
        "127.0.0.1:8000",
        "Where the anomaly service answers /train and /predict.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_GRPC_ADDR",
        "127.0.0.1:50051",
        "Where the anomaly service answers collectors over gRPC.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_URL",
        "",
        "The gRPC address of an anomaly service of its own, such as http://anomaly:50051; https:// encrypts. Unset: the collector scores in its own process.",
    ),
    setting(
        "ELASTIC_ADDR",
        "",
        "Nodes of the Elasticsearch or OpenSearch cluster that keeps the events, separated by commas, such as http://localhost:9200. Unset: the embedded index.",
    ),
    setting("ELASTIC_INDEX", "logs-sentinel", "The data stream in the cluster."),
    secret(
        "ELASTIC_API_KEY",
        "An API key of the cluster: its encoded form, or id:secret. Instead of a user name and password.",
    ),
    setting("ELASTIC_USERNAME", "", "A user of the cluster."),
    secret("ELASTIC_PASSWORD", "The user's password."),
    setting(
        "ELASTIC_CA_FILE",
        "",
        "PEM file of the authority that signed the nodes' certificates, where the system does not know it.",
    ),
    setting(
        "LOG_SENTINEL_DIR",
        "/var/log/log_sentinel",
        "A directory whose files are read as they grow, with everything below it. It may appear later.",
    ),
    setting(
        "LOG_SENTINEL_FILES",
        "",
        "Further files to read as they grow: paths and globs, separated by commas, such as /var/log/*.log,/srv/**/app.log.",
    ),
    setting(
        "LOG_SENTINEL_DATA",
        "{state}",
        "The one directory that holds all state. One process at a time may use it. Default: /var/lib/log-sentinel as root, else ~/.local/state/log-sentinel.",
    ),
    secret(
        "API_KEYS",
        "Keys, separated by commas, of which every request must bring one (Authorization: Bearer KEY). Unset: none is needed on loopback, and binding elsewhere is refused.",
    ),
    setting(
        "LOG_SENTINEL_TRUST_NETWORK",
        "false",
        "Allow binding beyond loopback without keys: everyone who reaches the port may then read and write logs.",
    ),
    setting(
        "LOG_SENTINEL_ALLOWED_HOSTS",
        "",
        "Names that the Host header may have besides loopback names, separated by commas. It keeps web pages of others from reading your logs.",
    ),
    setting("LOG_SENTINEL_ZONE", "UTC", "Time zone of time stamps that name none, such as Europe/Berlin."),
    setting(
        "LOG_SENTINEL_LOG_LEVEL",
        "info",
        "How much this program says of itself on standard error: error, warn, info, debug or trace.",
    ),
    setting("LOG_SENTINEL_LOG_FORMAT", "text", "text or json."),
    setting(
        "LOG_SENTINEL_BODY_BYTES_MAX",
        "100MiB",
        "Largest request body, before and after decompression; beyond it 413.",
    ),
    setting(
        "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX",
        "128MiB",
        "Bytes of request bodies held at a time, over all requests; beyond it 429.",
    ),
    setting(
        "LOG_SENTINEL_LINE_BYTES_MAX",
        "1MiB",
        "Longest line; the rest of a longer one is cut off and the event marked 'truncated'.",
    ),
    setting(
        "LOG_SENTINEL_CONNECTIONS_MAX",
        "1024",
        "Connections served at a time on each port; further ones wait until one ends or is without a request.",
    ),
    setting(
        "LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX",
        "512",
        "Connections of one address at a time on each port; further ones are closed, unless one of its others is without a request. A proxy in front is one address.",
    ),
    setting(
        "LOG_SENTINEL_HEADER_TIMEOUT",
        "30s",
        "Longest the head of a request may take to arrive, and longest a connection may wait for its next request.",
    ),
    setting(
        "LOG_SENTINEL_BODY_IDLE_MAX",
        "30s",
        "Longest a request body may pause while it arrives; then 408.",
    ),
    setting(
        "LOG_SENTINEL_BODY_RATE_MIN",
        "16KiB",
        "Bytes a second that a request body must bring on average once it has taken LOG_SENTINEL_BODY_IDLE_MAX; else 408.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_BYTES_MAX",
        "10GiB",
        "Disk budget of the journal; when it is used up, senders get 429 until the index catches up.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_QUEUE_BYTES",
        "128MiB",
        "Records that may wait in memory for the journal's writer; beyond it 429.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_SEGMENT_BYTES",
        "64MiB",
        "Size past which the journal begins a new file. Smaller ones free disk earlier.",
    ),
    setting(
        "LOG_SENTINEL_DISK_RESERVE",
        "256MiB",
        "Disk kept free for the index, at most a twentieth of the disk; below it senders get 429. 0 keeps none.",
    ),
    setting(
        "LOG_SENTINEL_RETENTION",
        "never",
        "Age, such as 30d, after which stored events are deleted; never keeps them all.",
    ),
    setting(
        "LOG_SENTINEL_INDEX_CACHE_BYTES",
        "64MiB",
        "Memory for parts of the index that were read lately.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ORIGINAL",
        "true",
        "Whether the cluster also keeps each line as it came in (event.original), at about its length.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX",
        "8MiB",
        "Largest bulk request, before compression. How large bulks really are follows from how the cluster answers.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX",
        "64MiB",
        "Bulks that wait for the cluster in memory; beyond it reading the journal waits.",
    ),
    setting("LOG_SENTINEL_ELASTIC_CONCURRENCY_MAX", "8", "Bulks under way at a time at most."),
    setting(
        "LOG_SENTINEL_ELASTIC_TIMEOUT",
        "60s",
        "Longest the cluster may take to answer before the request counts as failed.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT",
        "8s",
        "A question to the cluster takes no longer; after that the journal alone answers, and the answer says that it is partial.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_AGE",
        "1d",
        "On a server without a lifecycle (OpenSearch), the data stream goes on in a new index once the present one is so old.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_DOCUMENTS",
        "200000000",
        "The same, once the present index holds so many documents.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_BYTES",
        "50GiB",
        "The same, once the present index has so many bytes without replicas.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_SHARDS",
        "",
        "Primary shards of each index of the data stream; unset: the cluster's default.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_REPLICAS",
        "",
        "Replicas of each shard; unset: one where there is a second node.",
    ),
    setting(
        "LOG_SENTINEL_DEAD_LETTER_BYTES_MAX",
        "1GiB",
        "Disk budget of events that the cluster refused for good; when it is used up the index stands still.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_TIMEOUT",
        "2s",
        "Longest a separate anomaly service may take for a batch; then its events are marked unscored.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_CA_FILE",
        "",
        "PEM file of the authority that signed the certificate of a separate anomaly service.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_CERT_FILE",
        "",
        "PEM file of the anomaly service's certificate for gRPC; unset: connections are not encrypted.",
    ),
    setting("LOG_SENTINEL_ANOMALY_KEY_FILE", "", "PEM file of the key to that certificate."),
    setting("LOG_SENTINEL_QUERY_TIMEOUT", "30s", "Longest a query may take."),
    setting(
        "LOG_SENTINEL_TAIL_SEARCH_BYTES_MAX",
        "256MiB",
        "While the index is behind or away, a search looks at so much of what waits in the journal, the newest first.",
    ),
    setting("LOG_SENTINEL_TAIL_SEARCH_TIMEOUT", "5s", "And for so long at most."),
    setting(
        "LOG_SENTINEL_QUERIES_MAX",
        "8",
        "Queries answered at a time; beyond it 429, so that searching never starves taking in.",
    ),
    setting(
        "LOG_SENTINEL_SLOW_QUERIES_MAX",
        "8",
        "Of queries that take longer than others (50 ms of work), so many may be under way beside those; half of the processors work on them, in turns. Further ones keep their places among LOG_SENTINEL_QUERIES_MAX.",
    ),
    setting(
        "LOG_SENTINEL_QUERY_WORK_MAX",
        "2000000000",
        "How much work a query may be: rows read and tests made on them. One that needs more is answered 400.",
    ),
    setting("LOG_SENTINEL_TAILS_MAX", "32", "Live tails served at a time."),
    setting(
        "LOG_SENTINEL_LIVE_BYTES_MAX",
        "64MiB",
        "Bytes held for live tails, over all of them: half for the newest events, half for what is on its way. A tail that falls behind reads on in the index.",
    ),
    setting(
        "LOG_SENTINEL_ANSWER_BYTES_MAX",
        "512MiB",
        "Hits of one search answer; it ends early beyond it, and its 'next' goes on.",
    ),
    setting(
        "LOG_SENTINEL_ANSWERS_BYTES_MAX",
        "64MiB",
        "Bytes of search answers held at a time until their clients take them, over all; beyond it 429.",
    ),
    setting(
        "LOG_SENTINEL_WRITE_TIMEOUT",
        "30s",
        "A client that takes nothing of its answer for so long loses its connection.",
    ),
    setting(
        "LOG_SENTINEL_SCAN_INTERVAL",
        "5s",
        "How often the watched directories are walked for what the operating system did not report.",
    ),
    setting(
        "LOG_SENTINEL_LINE_WAIT",
        "10s",
        "How long the last line of a watched file may lack its newline, without growing, before it is taken as it is.",
    ),
    setting(
        "LOG_SENTINEL_OPEN_FILES_MAX",
        "512",
        "Watched files held open at a time; never more than a quarter of the process's limit of open files.",
    ),
    setting(
        "LOG_SENTINEL_SYMLINKS",
        "owner",
        "Which symbolic links among watched files are followed: owner (to files that the owner of each link on the way could read, and to watched files), any, never.",
    ),
    setting(
        "LOG_SENTINEL_MODEL_EVENTS_MIN",
        "2000",
        "Events from which the first model is trained by itself; until then scores say warming-up.",
    ),
    setting(
        "LOG_SENTINEL_FALSE_POSITIVE_RATE",
        "0.0002",
        "Share of ordinary events that a model may call anomalies.",
    ),
    setting(
        "LOG_SENTINEL_TEMPLATES_MAX",
        "20000",
        "Templates remembered; the least recently seen are forgotten first.",
    ),
    setting(
        "LOG_SENTINEL_SESSIONS_MAX",
        "16384",
        "Sessions (events that a request, trace, process or user ties together) followed at a time; beyond it those silent for longest end early.",
    ),
    setting(
        "LOG_SENTINEL_SESSION_KEYS",
        "",
        "Fields whose value an event's session is known by, separated by commas, the most telling first, such as trace.id,labels.order. They come before the keys that are found by themselves.",
    ),
    setting(
        "LOG_SENTINEL_SHUTDOWN_GRACE",
        "30s",
        "How long a stop may take to answer, write and close everything.",
    ),
];

/// The text of `.env.sample`: every setting with its default, commented out.
pub(crate) fn sample() -> String {
    let mut text = String::from(
        "# Settings of Log Sentinel. Copy to .env and uncomment what you want to change.\n\
         # Flags (--addr) come first, then the environment, then .env, then log-sentinel.yaml (addr: …).\n\
         # A secret can also be read from a file: API_KEYS_FILE=/run/secrets/api_keys.\n",
    );
    for setting in SETTINGS {
        text.push('\n');
        for line in wrap(setting.help, 110) {
            text.push_str(&format!("# {line}\n"));
        }
        let default =
            if setting.default == "{state}" { "~/.local/state/log-sentinel" } else { setting.default };
        text.push_str(&format!("#{}={default}\n", setting.name));
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_sample_is_this_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.sample");
        let found = std::fs::read_to_string(path).unwrap();
        assert_eq!(found, sample(), "run `log-sentinel check --sample > .env.sample`");
    }

    #[test]
    fn names_keys_and_flags_are_distinct() {
        let mut keys: Vec<_> = SETTINGS.iter().map(Setting::key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), SETTINGS.len());
    }
}

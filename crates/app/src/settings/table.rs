//! The one list of settings.

use super::{
    setting::{Setting, secret, setting},
    table_of_agent::AGENT,
    table_of_hosts::HOSTS,
    table_of_signals::SIGNALS,
    table_of_sql::SQL,
};

/// Every setting there is, in the order in which people meet them.
pub(crate) const SETTINGS: &[Setting] =
    &joined::<{ SERVICE.len() + SIGNALS.len() + SQL.len() + HOSTS.len() + AGENT.len() }>();

const fn joined<const N: usize>() -> [Setting; N] {
    let groups = [SERVICE, SIGNALS, SQL, HOSTS, AGENT];
    let (mut all, mut at, mut group) = ([SERVICE[0]; N], 0, 0);
    while group < groups.len() {
        let mut place = 0;
        while place < groups[group].len() {
            all[at] = groups[group][place];
            (at, place) = (at + 1, place + 1);
        }
        group += 1;
    }
    all
}

/// Those of the service: its ports, what comes in, what is kept, who may ask.
const SERVICE: &[Setting] = &[
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
        "The gRPC address of a separate anomaly service, such as http://anomaly:50051; https:// encrypts. Unset: the collector scores in its own process.",
    ),
    setting(
        "ELASTIC_ADDR",
        "",
        "Nodes of the Elasticsearch or OpenSearch cluster that keeps the events, separated by commas, such as http://localhost:9200. Unset: the embedded index.",
    ),
    setting("ELASTIC_INDEX", "logs-sentinel", "The data stream in the cluster."),
    secret(
        "ELASTIC_API_KEY",
        "An API key of the cluster, in place of a user name and password: its encoded form, or id:secret.",
    ),
    setting("ELASTIC_USERNAME", "", "A user of the cluster."),
    secret("ELASTIC_PASSWORD", "The user's password."),
    setting(
        "ELASTIC_CA_FILE",
        "",
        "PEM file of the authority that signed the nodes' certificates, where the system does not know that authority.",
    ),
    setting(
        "LOG_SENTINEL_DIR",
        "/var/log/log_sentinel",
        "A directory whose files, and those of all directories below, are read as they grow. The directory may appear later.",
    ),
    setting(
        "LOG_SENTINEL_FILES",
        "",
        "Further files to read as they grow: paths and globs, separated by commas, such as /var/log/*.log,/srv/**/app.log.",
    ),
    setting(
        "LOG_SENTINEL_SYSTEM",
        "false",
        "Whether to read this machine's own logs too: auth.log, syslog, secure and messages below /var/log, or the journal of systemd where the first and third are not there. Changes of accounts, groups, sudoers, cron, SSH keys and of what starts by itself are told as well. `run --system` is enough.",
    ),
    setting(
        "LOG_SENTINEL_SYSTEM_ROOT",
        "/",
        "Below which folder this machine's /etc, /var and homes are: another one where they are mounted into a container.",
    ),
    setting(
        "LOG_SENTINEL_SYSTEM_INTERVAL",
        "10s",
        "How often files of accounts, groups, sudoers, cron, SSH keys and of what starts by itself are looked at.",
    ),
    setting("LOG_SENTINEL_JOURNALCTL", "journalctl", "The program that gives the journal of systemd."),
    setting(
        "LOG_SENTINEL_DATA",
        "{state}",
        "The one directory that holds all state. One process at a time may use it. Default: /var/lib/log-sentinel as root, else ~/.local/state/log-sentinel.",
    ),
    secret(
        "API_KEYS",
        "Keys with all scopes, separated by commas. Every request must bring one of them (Authorization: Bearer KEY) or one made with 'log-sentinel keys'. Without any key requests on loopback need none, and listening elsewhere is refused.",
    ),
    secret(
        "LOG_SENTINEL_API_KEY",
        "The key with which commands such as query and keys ask a service that has keys. Unset: the first of API_KEYS.",
    ),
    setting(
        "LOG_SENTINEL_KEYS_MAX",
        "10000",
        "Keys that may be made with 'log-sentinel keys', those of agents included. Where there are as many, one that has expired or was revoked gives way to a new one.",
    ),
    setting(
        "LOG_SENTINEL_WRONG_KEYS_MAX",
        "20",
        "Wrong keys that one address may send at once; then one every five seconds is looked at, and the others get 429.",
    ),
    setting(
        "LOG_SENTINEL_SIGN_INS_MAX",
        "1000",
        "Browsers signed in at a time; a further one takes the place of the one that ends first.",
    ),
    setting("LOG_SENTINEL_SIGN_IN_TIME", "12h", "How long a browser stays signed in."),
    setting("LOG_SENTINEL_TOKEN_TIME", "24h", "How long the token of a new agent is good."),
    setting(
        "LOG_SENTINEL_CERT_FILE",
        "",
        "PEM file of the certificate that port 8080 shows, followed by those between it and its root; own: one that this installation's authority makes at each start. Unset: no TLS. Read again when it changes.",
    ),
    setting("LOG_SENTINEL_KEY_FILE", "", "PEM file of the key to that certificate."),
    setting(
        "LOG_SENTINEL_CLIENT_CA_FILE",
        "",
        "PEM file of the authorities whose certificates clients of port 8080 show; own: this installation's, which agents get theirs from. Unset: clients are asked for none.",
    ),
    setting(
        "LOG_SENTINEL_CLIENT_CERTIFICATES",
        "required",
        "Whether clients must show a certificate where LOG_SENTINEL_CLIENT_CA_FILE is set: required or optional.",
    ),
    setting("LOG_SENTINEL_ANOMALY_REST_CERT_FILE", "", "As LOG_SENTINEL_CERT_FILE, for port 8000."),
    setting("LOG_SENTINEL_ANOMALY_REST_KEY_FILE", "", "As LOG_SENTINEL_KEY_FILE, for port 8000."),
    setting("LOG_SENTINEL_ANOMALY_REST_CLIENT_CA_FILE", "", "As LOG_SENTINEL_CLIENT_CA_FILE, for port 8000."),
    setting(
        "LOG_SENTINEL_ANOMALY_REST_CLIENT_CERTIFICATES",
        "required",
        "As LOG_SENTINEL_CLIENT_CERTIFICATES, for port 8000.",
    ),
    setting("LOG_SENTINEL_ANOMALY_CERT_FILE", "", "As LOG_SENTINEL_CERT_FILE, for gRPC on port 50051."),
    setting("LOG_SENTINEL_ANOMALY_KEY_FILE", "", "As LOG_SENTINEL_KEY_FILE, for gRPC on port 50051."),
    setting(
        "LOG_SENTINEL_ANOMALY_CLIENT_CA_FILE",
        "",
        "As LOG_SENTINEL_CLIENT_CA_FILE, for gRPC on port 50051.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_CLIENT_CERTIFICATES",
        "required",
        "As LOG_SENTINEL_CLIENT_CERTIFICATES, for gRPC on port 50051.",
    ),
    setting(
        "LOG_SENTINEL_AUDIT",
        "true",
        "Whether the record of who decided what is kept, in audit/ of the data folder. What must be recorded and cannot be is refused; logs are still taken in.",
    ),
    setting(
        "LOG_SENTINEL_AUDIT_KEY_FILE",
        "",
        "The private key that signs the record, best on another disk than the data folder. It is made with a new record when it is not there. Unset: audit/key in the data folder.",
    ),
    setting("LOG_SENTINEL_AUDIT_FILE_BYTES", "16MiB", "Size past which the record begins a new file."),
    setting("LOG_SENTINEL_AUDIT_CHECKPOINT_RECORDS", "1000", "Records after which a checkpoint is signed."),
    setting(
        "LOG_SENTINEL_AUDIT_CHECKPOINT_INTERVAL",
        "5m",
        "Time after which a checkpoint is signed when there are records that none covers.",
    ),
    setting(
        "LOG_SENTINEL_AUDIT_USES_INTERVAL",
        "1h",
        "How often it is recorded that the same key sends logs, and that wrong keys come; the first use is recorded at once.",
    ),
    setting(
        "LOG_SENTINEL_AUDIT_WITNESS_URL",
        "",
        "Another Log Sentinel that keeps the record's checkpoints, such as https://other.example.org:8080.",
    ),
    secret("LOG_SENTINEL_AUDIT_WITNESS_KEY", "A key of that one with the scope ingest."),
    setting(
        "LOG_SENTINEL_AUDIT_SYSLOG_ADDR",
        "",
        "A syslog server that keeps the record's checkpoints: udp://host:514 or tcp://host:514.",
    ),
    setting(
        "LOG_SENTINEL_CA_FILE",
        "",
        "PEM file of an authority that commands trust when they ask a service over TLS, and that is trusted where LOG_SENTINEL_AUDIT_WITNESS_URL is. This installation's own is trusted anyway.",
    ),
    setting(
        "LOG_SENTINEL_TRUST_NETWORK",
        "false",
        "Allow listening beyond loopback without keys: everyone who reaches the port may then read and write logs.",
    ),
    setting(
        "LOG_SENTINEL_ALLOWED_HOSTS",
        "",
        "Names, separated by commas, under which clients may address the service besides loopback names (Host header). Other names are refused, so that no foreign web page reads your logs.",
    ),
    setting("LOG_SENTINEL_ZONE", "UTC", "Time zone of time stamps that name none, such as Europe/Berlin."),
    setting(
        "LOG_SENTINEL_FORMATS_FILE",
        "",
        "A YAML file that describes formats of lines of your own; `log-sentinel parse FILE --explain` tries them.",
    ),
    setting(
        "LOG_SENTINEL_LOG_LEVEL",
        "info",
        "How much the program logs about itself on standard error: error, warn, info, debug or trace.",
    ),
    setting("LOG_SENTINEL_LOG_FORMAT", "text", "How the program logs about itself: text or json."),
    setting(
        "LOG_SENTINEL_BODY_BYTES_MAX",
        "100MiB",
        "Largest request body, before and after decompression; a larger one gets 413.",
    ),
    setting(
        "LOG_SENTINEL_IN_FLIGHT_BYTES_MAX",
        "128MiB",
        "Bytes of request bodies that a port holds at a time, over all requests; further ones get 429.",
    ),
    setting(
        "LOG_SENTINEL_LINE_BYTES_MAX",
        "1MiB",
        "Longest line. The rest of a longer one is cut off, and the event is marked 'truncated'.",
    ),
    setting(
        "LOG_SENTINEL_CONNECTIONS_MAX",
        "1024",
        "Connections that each port serves at a time, 50051 included; further ones wait until one ends or is without a request.",
    ),
    setting(
        "LOG_SENTINEL_CONNECTIONS_PER_ADDRESS_MAX",
        "512",
        "Connections that one address may have at a time on each port. A further one takes the place of one without a request, else it is closed. All clients behind a proxy have the proxy's address.",
    ),
    setting(
        "LOG_SENTINEL_HEADER_TIMEOUT",
        "30s",
        "How long the head of a request may take to arrive, and how long a connection may wait for its next request.",
    ),
    setting(
        "LOG_SENTINEL_BODY_IDLE_MAX",
        "30s",
        "How long a request body may pause while it arrives; then the request gets 408.",
    ),
    setting(
        "LOG_SENTINEL_BODY_RATE_MIN",
        "16KiB",
        "Bytes a second that a request body must bring on average once it has taken LOG_SENTINEL_BODY_IDLE_MAX; a slower one gets 408.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_BYTES_MAX",
        "10GiB",
        "Disk budget of the journal. When it is used up, senders get 429 until the index has caught up.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_QUEUE_BYTES",
        "128MiB",
        "Bytes of records that may wait in memory for the journal's writer; beyond that senders get 429.",
    ),
    setting(
        "LOG_SENTINEL_JOURNAL_SEGMENT_BYTES",
        "64MiB",
        "Size past which the journal begins a new file. Smaller files free disk earlier.",
    ),
    setting(
        "LOG_SENTINEL_DISK_RESERVE",
        "256MiB",
        "Disk that is kept free for the index, at most a twentieth of the disk. When less is free, senders get 429. 0 keeps none free.",
    ),
    setting(
        "LOG_SENTINEL_RETENTION",
        "never",
        "Age after which stored events are deleted, such as 30d; 'never' keeps them all.",
    ),
    setting(
        "LOG_SENTINEL_INDEX_CACHE_BYTES",
        "64MiB",
        "Memory that keeps parts of the index that were read lately.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ORIGINAL",
        "true",
        "Whether the cluster also keeps each line as it came in (event.original); that takes about the line's length.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_BULK_BYTES_MAX",
        "8MiB",
        "Largest bulk request, before compression. The collector sends smaller ones as long as the cluster answers slowly.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_IN_FLIGHT_BYTES_MAX",
        "64MiB",
        "Bytes of bulks that wait in memory for the cluster; beyond that the collector stops reading the journal until the cluster answers.",
    ),
    setting("LOG_SENTINEL_ELASTIC_CONCURRENCY_MAX", "8", "Bulks that may be under way at a time."),
    setting(
        "LOG_SENTINEL_ELASTIC_TIMEOUT",
        "60s",
        "How long the cluster may take to answer before the request counts as failed.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_QUERY_TIMEOUT",
        "8s",
        "How long a query may wait for the cluster. After that the journal alone answers, and the answer says that it is partial.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_AGE",
        "1d",
        "On a server without a lifecycle (OpenSearch), the collector begins a new index once the present one is this old.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_DOCUMENTS",
        "200000000",
        "The same, once the present index holds this many documents.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_ROLLOVER_BYTES",
        "50GiB",
        "The same, once the present index has this size without replicas.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_SHARDS",
        "",
        "Primary shards of each index of the data stream; unset: the cluster's default.",
    ),
    setting(
        "LOG_SENTINEL_ELASTIC_REPLICAS",
        "",
        "Replicas of each shard; unset: one if the cluster has a second node.",
    ),
    setting(
        "LOG_SENTINEL_DEAD_LETTER_BYTES_MAX",
        "1GiB",
        "Disk budget of events that the cluster refused for good. When it is used up, the cluster gets no further events until some are replayed or dropped.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_TIMEOUT",
        "2s",
        "How long a separate anomaly service may take for a batch. After that the batch's events are stored as unscored, and their verdicts follow later.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_CA_FILE",
        "",
        "PEM file of the authority that signed the certificate of a separate anomaly service.",
    ),
    setting(
        "LOG_SENTINEL_ANOMALY_SHOWN_CERT_FILE",
        "",
        "PEM file of the certificate that the collector shows to a separate anomaly service that asks for one.",
    ),
    setting("LOG_SENTINEL_ANOMALY_SHOWN_KEY_FILE", "", "PEM file of the key to that certificate."),
    setting("LOG_SENTINEL_QUERY_TIMEOUT", "30s", "How long a query may take; then it gets 503."),
    setting(
        "LOG_SENTINEL_TAIL_SEARCH_BYTES_MAX",
        "256MiB",
        "How much of what waits in the journal a query searches while the index is behind or away, the newest first.",
    ),
    setting("LOG_SENTINEL_TAIL_SEARCH_TIMEOUT", "5s", "How long it searches there at most."),
    setting(
        "LOG_SENTINEL_TAIL_SEARCH_KEPT_BYTES",
        "64MiB",
        "Memory for what queries have decoded there, so that the next ones need not; 0 keeps nothing.",
    ),
    setting(
        "LOG_SENTINEL_QUERIES_MAX",
        "8",
        "Queries that are answered at a time; further ones get 429, so that searching leaves room for taking logs in.",
    ),
    setting(
        "LOG_SENTINEL_SLOW_QUERIES_MAX",
        "8",
        "Slow queries (of more than 50 ms of work) that may be under way beside LOG_SENTINEL_QUERIES_MAX quick ones; half of the processors work on them, in turns. Further slow ones keep their places among the quick ones.",
    ),
    setting(
        "LOG_SENTINEL_QUERY_WORK_MAX",
        "2000000000",
        "How much work a query may be: rows that it reads, and tests that it makes on them. A query that needs more gets 400.",
    ),
    setting(
        "LOG_SENTINEL_VERDICTS_BYTES_MAX",
        "1GiB",
        "Disk budget of the verdicts on events that wait for an index that is away or slow; a verdict takes about a tenth of its event. Beyond it events are stored without verdicts.",
    ),
    setting("LOG_SENTINEL_TAILS_MAX", "32", "Live tails that are served at a time; further ones get 429."),
    setting(
        "LOG_SENTINEL_LIVE_BYTES_MAX",
        "64MiB",
        "Bytes that are held for all live tails together: half for the newest events, half for what is on its way to clients. A tail that falls behind reads on in the index.",
    ),
    setting(
        "LOG_SENTINEL_ANSWER_BYTES_MAX",
        "512MiB",
        "Bytes of hits in one search answer. A larger answer ends early, and its 'next' goes on.",
    ),
    setting(
        "LOG_SENTINEL_ANSWERS_BYTES_MAX",
        "64MiB",
        "Bytes of all search answers that wait for their clients to take them; beyond that new queries get 429.",
    ),
    setting(
        "LOG_SENTINEL_WRITE_TIMEOUT",
        "30s",
        "How long a client may take nothing of its answer; then it loses its connection.",
    ),
    setting(
        "LOG_SENTINEL_SCAN_INTERVAL",
        "5s",
        "How often the watched directories are walked, to find changes that the operating system did not report.",
    ),
    setting(
        "LOG_SENTINEL_LINE_WAIT",
        "10s",
        "How long the last line of a watched file may stand without a newline and without growing; then it is taken as it is.",
    ),
    setting(
        "LOG_SENTINEL_JOIN_LINES",
        "true",
        "Whether lines that belong together are one event: stack traces, indented lines, long lines that a container runtime cut, JSON over several lines.",
    ),
    setting(
        "LOG_SENTINEL_EVENT_START",
        "",
        "A regular expression that the first line of every event matches, such as ^\\d+; and then every other line continues the event before it. Unset: LOG_SENTINEL_JOIN_LINES tells.",
    ),
    setting(
        "LOG_SENTINEL_EVENT_WAIT",
        "1s",
        "How long the last event of a watched file waits for a line that continues it.",
    ),
    setting(
        "LOG_SENTINEL_EVENT_LINES_MAX",
        "2000",
        "Lines of an event at most; what is beyond is another event, marked 'rest'.",
    ),
    setting(
        "LOG_SENTINEL_EVENT_BYTES_MAX",
        "256KiB",
        "Size of an event of several lines at most, and never more than LOG_SENTINEL_LINE_BYTES_MAX; what is beyond is another event, marked 'rest'.",
    ),
    setting(
        "LOG_SENTINEL_OPEN_FILES_MAX",
        "512",
        "Watched files that are held open at a time; never more than a quarter of the process's limit of open files.",
    ),
    setting(
        "LOG_SENTINEL_SYMLINKS",
        "owner",
        "Which symbolic links among watched files are followed: owner (to files that the owner of each link on the way could read, and to watched files), any, never.",
    ),
    setting(
        "LOG_SENTINEL_MODEL_EVENTS_MIN",
        "2000",
        "Number of events at which the service trains its first model; until then scores say warming-up.",
    ),
    setting(
        "LOG_SENTINEL_FALSE_POSITIVE_RATE",
        "0.0002",
        "Share of ordinary events that a model may call anomalies.",
    ),
    setting(
        "LOG_SENTINEL_TEMPLATES_MAX",
        "20000",
        "Templates that are remembered; beyond that the ones not seen for longest are forgotten.",
    ),
    setting(
        "LOG_SENTINEL_SESSIONS_MAX",
        "16384",
        "Sessions (events that a request, trace, process or user ties together) that are followed at a time; beyond that those silent for longest end early.",
    ),
    setting(
        "LOG_SENTINEL_SESSION_KEYS",
        "",
        "Fields whose value tells which session an event belongs to, separated by commas, the most telling first, such as trace.id,labels.order. The service tries them before the keys that it finds by itself.",
    ),
    setting(
        "LOG_SENTINEL_SHUTDOWN_GRACE",
        "30s",
        "How long a stop may take. Then the log names what is still at work, and the process ends.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keys_and_flags_are_distinct() {
        let mut keys: Vec<_> = SETTINGS.iter().map(Setting::key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), SETTINGS.len());
    }
}

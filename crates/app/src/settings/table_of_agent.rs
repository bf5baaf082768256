//! Settings of an agent, which stand above its own file.

use super::setting::{Setting, setting};

/// Those settings, in the order in which people meet them.
pub(super) const AGENT: &[Setting] = &[
    setting(
        "LOG_SENTINEL_AGENT_SERVER_URL",
        "",
        "For log-sentinel agent: the collector that samples and logs go to, or its /data. Above server.url of the agent's file.",
    ),
    setting(
        "LOG_SENTINEL_AGENT_NAME",
        "",
        "For log-sentinel agent: what this host is called. Above agent.name of the agent's file; unset there too: the host name.",
    ),
    setting(
        "LOG_SENTINEL_AGENT_INTERVAL",
        "",
        "For log-sentinel agent: the time from one sample to the next. Above agent.interval of the agent's file; unset there too: 10s.",
    ),
    setting(
        "LOG_SENTINEL_AGENT_LABELS",
        "",
        "For log-sentinel agent: what groups of hosts are told by, such as role=web,env=prod. Above agent.labels of the agent's file.",
    ),
    setting(
        "LOG_SENTINEL_AGENT_BUFFER_BYTES_MAX",
        "",
        "For log-sentinel agent: room for samples while the collector is away; the oldest go beyond it. Above buffer.bytes_max of the agent's file; unset there too: 64MiB.",
    ),
    setting(
        "LOG_SENTINEL_AGENT_BUFFER_AGE_MAX",
        "",
        "For log-sentinel agent: older samples are not sent any more. Above buffer.age_max of the agent's file; unset there too: 7d.",
    ),
    setting(
        "LOG_SENTINEL_HOST_ROOT",
        "/",
        "For log-sentinel agent in a container: the folder where /proc, /sys and the file systems of the host are mounted.",
    ),
];

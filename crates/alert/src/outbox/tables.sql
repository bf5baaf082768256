-- Alerts, each as it was told last.
CREATE TABLE alert (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    signal INTEGER NOT NULL,
    host TEXT NOT NULL,
    raised INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    is_held INTEGER NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    snoozed_until INTEGER,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX alert_by_acknowledged ON alert (acknowledged_at IS NULL, number);
CREATE INDEX alert_by_host ON alert (host, number) WHERE is_open AND NOT is_held;
CREATE INDEX alert_by_open ON alert (number) WHERE is_open AND NOT is_held;

-- What was told of an alert at a time, and why it went where it went.
CREATE TABLE alert_telling (
    alert INTEGER NOT NULL REFERENCES alert (number) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    document TEXT NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (alert, revision)
) STRICT, WITHOUT ROWID;

-- A telling on its way over a channel. state: 0 queued, 1 failed and tried again, 2 delivered, 3 dead.
CREATE TABLE alert_delivery (
    number INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL REFERENCES alert (number) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    channel TEXT NOT NULL,
    occasion TEXT NOT NULL,
    route TEXT NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    planned INTEGER NOT NULL,
    due INTEGER NOT NULL,
    at INTEGER NOT NULL,
    key TEXT,
    grouped TEXT,
    said TEXT,
    UNIQUE (alert, channel, revision)
) STRICT;
CREATE INDEX alert_delivery_by_due ON alert_delivery (channel, due, number) WHERE state < 2;
CREATE INDEX alert_delivery_by_key ON alert_delivery (channel, key) WHERE key IS NOT NULL;
CREATE INDEX alert_delivery_by_group ON alert_delivery (channel, grouped) WHERE state = 0 AND key IS NULL;
CREATE INDEX alert_delivery_by_sent ON alert_delivery (channel, at) WHERE state = 2;

-- What is to happen to an alert when nobody does anything.
CREATE TABLE alert_timer (
    number INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL REFERENCES alert (number) ON DELETE CASCADE,
    what TEXT NOT NULL,
    route TEXT NOT NULL,
    due INTEGER NOT NULL,
    UNIQUE (alert, what, route)
) STRICT;
CREATE INDEX alert_timer_by_due ON alert_timer (due);

-- Channels that do not deliver, since when, and who was told of it.
CREATE TABLE alert_channel (
    name TEXT PRIMARY KEY,
    failing_since INTEGER NOT NULL,
    alert BLOB
) STRICT, WITHOUT ROWID;

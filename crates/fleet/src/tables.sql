-- Agents. Times are nanoseconds since 1970.
CREATE TABLE fleet_agent (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    organization TEXT,
    first_seen INTEGER NOT NULL,
    -- By the server's clock.
    last_seen INTEGER NOT NULL,
    -- The newest sample's, by the agent's clock.
    newest INTEGER NOT NULL DEFAULT 0,
    agent_id TEXT,
    version TEXT,
    os TEXT,
    interval_s REAL,
    sometimes INTEGER NOT NULL DEFAULT 0,
    config_version INTEGER,
    config_problem TEXT,
    -- The agent's own monitoring object, JSON.
    monitoring TEXT,
    -- Sequence numbers that were taken, JSON.
    seqs TEXT NOT NULL DEFAULT '[]',
    -- The last row of fleet_fresh that is in chunks.
    sealed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Newest samples: as they came (JSON, zstd), and as numbers by series.
CREATE TABLE fleet_fresh (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent INTEGER NOT NULL,
    at INTEGER NOT NULL,
    numbers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX fleet_fresh_agent ON fleet_fresh (agent, at);

CREATE TABLE fleet_series (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (agent, name)
) STRICT;

-- Partitions of chunks that there are; the chunks are in a table for each.
CREATE TABLE fleet_partition (
    tier INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (tier, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE fleet_config (
    agent INTEGER NOT NULL,
    version INTEGER NOT NULL,
    monitoring TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (agent, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE fleet_condition (
    agent INTEGER NOT NULL,
    rule TEXT NOT NULL,
    condition TEXT NOT NULL,
    PRIMARY KEY (agent, rule)
) STRICT, WITHOUT ROWID;

-- What was found and is no signal yet.
CREATE TABLE fleet_told (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    told TEXT NOT NULL
) STRICT;

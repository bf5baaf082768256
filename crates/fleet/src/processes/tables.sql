-- Processes of hosts. Times are nanoseconds since 1970, by the agent's clock.
CREATE TABLE fleet_process_host (
    agent INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL DEFAULT '',
    -- Counts up with each list of all processes; `listed` is the last one that was complete.
    listing INTEGER NOT NULL DEFAULT 0,
    listed INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL DEFAULT '',
    told_by_kernel INTEGER NOT NULL DEFAULT 0,
    -- What the agent could not read, JSON.
    problems TEXT NOT NULL DEFAULT '[]'
) STRICT;

-- A process as it was from `since` up to `until`; one that goes on has the greatest number there.
CREATE TABLE fleet_process (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    listing INTEGER NOT NULL,
    -- JSON, without what is not known.
    process TEXT NOT NULL
) STRICT;
CREATE INDEX fleet_process_agent ON fleet_process (agent, until, pid);
CREATE INDEX fleet_process_pid ON fleet_process (agent, pid, started);
CREATE INDEX fleet_process_until ON fleet_process (until);

CREATE TABLE fleet_process_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- As which it goes on, or was at last.
    process INTEGER NOT NULL
) STRICT;
CREATE INDEX fleet_process_event_agent ON fleet_process_event (agent, at);
CREATE INDEX fleet_process_event_at ON fleet_process_event (at);

-- Changes that are missing: given up on the way or here, or seen by nobody.
CREATE TABLE fleet_process_gap (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent INTEGER NOT NULL,
    at INTEGER NOT NULL,
    changes INTEGER NOT NULL
) STRICT;
CREATE INDEX fleet_process_gap_at ON fleet_process_gap (at);

-- What was met on a host once: no news the next time.
CREATE TABLE fleet_process_known (
    agent INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (agent, what)
) STRICT, WITHOUT ROWID;

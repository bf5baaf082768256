-- What programs of a host started, by names that survive upgrades; times in nanoseconds since 1970, by the agent's clock.
CREATE TABLE fleet_process_pair (
    agent INTEGER NOT NULL,
    parent TEXT NOT NULL,
    child TEXT NOT NULL,
    seen INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (agent, parent, child)
) STRICT, WITHOUT ROWID;

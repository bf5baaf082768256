-- What groups of hosts are told by, JSON; NULL where a host has no labels.
ALTER TABLE fleet_agent ADD COLUMN labels TEXT;

-- Thresholds that were set for the hosts that a selector names, in versions; times are nanoseconds since 1970.
CREATE TABLE fleet_group (
    selector TEXT NOT NULL,
    version INTEGER NOT NULL,
    monitoring TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (selector, version)
) STRICT, WITHOUT ROWID;

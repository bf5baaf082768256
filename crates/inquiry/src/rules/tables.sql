-- Rules in SQL: what came of the last run, as JSON, and why one is suspended as its text has this hash.
CREATE TABLE inquiry_rule (
    id TEXT PRIMARY KEY,
    -- Nanoseconds since 1970.
    at INTEGER NOT NULL,
    last TEXT NOT NULL,
    hash TEXT NOT NULL,
    suspended TEXT
) WITHOUT ROWID;
-- Rows of its last answer, by which new ones are told.
CREATE TABLE inquiry_row (
    rule TEXT NOT NULL,
    mark BLOB NOT NULL,
    PRIMARY KEY (rule, mark)
) WITHOUT ROWID;
-- Rules, of Sigma too, of which it was told that they are suspended.
CREATE TABLE inquiry_told (
    rule TEXT PRIMARY KEY,
    reason TEXT NOT NULL
) WITHOUT ROWID;

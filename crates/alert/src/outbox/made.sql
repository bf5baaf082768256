-- Channels and silences that were made while the program ran, each as a file of routes would say it.
CREATE TABLE alert_made_channel (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_made_silence (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    until INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

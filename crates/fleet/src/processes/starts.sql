-- Habits of starts of programs on a host, by their number; without `what`: how many starts there were of it.
CREATE TABLE fleet_process_habit (
    agent INTEGER NOT NULL,
    habit INTEGER NOT NULL,
    program TEXT NOT NULL,
    what TEXT NOT NULL,
    seen INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (agent, habit, program, what)
) STRICT, WITHOUT ROWID;
-- How rare the habits of the newest starts were: numbers of four bytes, little-endian.
CREATE TABLE fleet_process_start (
    agent INTEGER NOT NULL,
    place INTEGER NOT NULL,
    rarities BLOB NOT NULL,
    PRIMARY KEY (agent, place)
) STRICT, WITHOUT ROWID;
-- The forest of a host: starts so far, since when, and the greatest score of those that it was grown on.
CREATE TABLE fleet_process_forest (
    agent INTEGER PRIMARY KEY,
    starts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    forest BLOB,
    greatest REAL NOT NULL DEFAULT 1
) STRICT;

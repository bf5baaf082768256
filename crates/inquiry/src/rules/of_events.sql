-- Up to where rules of new rows have read them.
CREATE TABLE inquiry_place (
    rule TEXT PRIMARY KEY,
    event INTEGER NOT NULL,
    gap INTEGER NOT NULL
) WITHOUT ROWID;
-- When a row was there last, in nanoseconds since 1970; 0 where it is of the last answer.
ALTER TABLE inquiry_row ADD COLUMN at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE signal (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    entity TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    labelled INTEGER NOT NULL,
    suppression INTEGER,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    quiet_at INTEGER,
    resolved_at INTEGER,
    incident BLOB,
    document TEXT NOT NULL,
    counted TEXT NOT NULL
) STRICT;

CREATE INDEX signal_by_key ON signal (organization, kind, rule, entity, last);
CREATE INDEX signal_by_time ON signal (hidden, last, number, first, state, severity, kind, organization);
CREATE INDEX signal_by_state ON signal (state, hidden, last, number, first, severity, kind, organization);
CREATE INDEX signal_by_kind ON signal (kind, hidden, last, number, first, state, severity, organization);
CREATE INDEX signal_by_rule ON signal (rule, hidden, last, number, first, state, severity, kind, organization);
CREATE INDEX signal_by_organization ON signal (organization, hidden, last, number, first, state, severity, kind);
CREATE INDEX signal_by_quiet ON signal (quiet_at) WHERE quiet_at IS NOT NULL;
CREATE INDEX signal_by_resolution ON signal (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX signal_by_incident ON signal (incident) WHERE incident IS NOT NULL;
CREATE INDEX signal_by_suppression ON signal (suppression, last) WHERE suppression IS NOT NULL;
CREATE INDEX signal_by_label ON signal (number) WHERE labelled;

-- Whom signals are about: the value alone, and after its type.
CREATE TABLE signal_entity (
    entity TEXT NOT NULL,
    last INTEGER NOT NULL,
    signal INTEGER NOT NULL REFERENCES signal (number) ON DELETE CASCADE,
    PRIMARY KEY (entity, last, signal)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_entity_by_signal ON signal_entity (signal);

-- How many signals there are of each sort, so that totals are no matter of how many.
CREATE TABLE signal_total (
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    severity INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    signals INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, state, severity, hidden)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER signal_is_counted AFTER INSERT ON signal BEGIN
    INSERT INTO signal_total VALUES (new.organization, new.kind, new.state, new.severity, new.hidden, 1)
    ON CONFLICT DO UPDATE SET signals = signals + 1;
END;
CREATE TRIGGER signal_is_counted_anew AFTER UPDATE OF organization, kind, state, severity, hidden ON signal
WHEN (old.organization, old.kind, old.state, old.severity, old.hidden)
    <> (new.organization, new.kind, new.state, new.severity, new.hidden)
BEGIN
    UPDATE signal_total SET signals = signals - 1 WHERE organization = old.organization AND kind = old.kind
        AND state = old.state AND severity = old.severity AND hidden = old.hidden;
    INSERT INTO signal_total VALUES (new.organization, new.kind, new.state, new.severity, new.hidden, 1)
    ON CONFLICT DO UPDATE SET signals = signals + 1;
END;
CREATE TRIGGER signal_is_no_longer_counted AFTER DELETE ON signal BEGIN
    UPDATE signal_total SET signals = signals - 1 WHERE organization = old.organization AND kind = old.kind
        AND state = old.state AND severity = old.severity AND hidden = old.hidden;
END;

-- What signals say, by word. Its rowid is the number of the signal.
CREATE VIRTUAL TABLE signal_text USING fts5 (
    text, content = '', contentless_delete = 1, detail = full, tokenize = 'unicode61 remove_diacritics 0'
);

-- What was done with a signal.
CREATE TABLE signal_history (
    signal INTEGER NOT NULL REFERENCES signal (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (signal, number)
) STRICT, WITHOUT ROWID;

-- The feed of what changed. AUTOINCREMENT: no number is given twice, whatever is deleted.
CREATE TABLE signal_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    signal INTEGER NOT NULL REFERENCES signal (number) ON DELETE CASCADE,
    what TEXT NOT NULL,
    at INTEGER NOT NULL,
    author TEXT,
    before TEXT
) STRICT;
CREATE INDEX signal_change_by_signal ON signal_change (signal);

CREATE TABLE signal_cursor (
    name TEXT PRIMARY KEY,
    segment INTEGER NOT NULL,
    record INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What links signals to a story, and the stories.
CREATE TABLE signal_link (
    link TEXT NOT NULL,
    last INTEGER NOT NULL,
    signal INTEGER NOT NULL REFERENCES signal (number) ON DELETE CASCADE,
    PRIMARY KEY (link, last, signal)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_link_by_signal ON signal_link (signal);

CREATE TABLE signal_incident (
    id BLOB PRIMARY KEY,
    organization TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    signals INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_incident_by_time ON signal_incident (last, id);
CREATE INDEX signal_incident_by_organization ON signal_incident (organization, last, id);

CREATE TABLE signal_suppression (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT,
    rule TEXT,
    entity TEXT,
    organization TEXT,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    hidden INTEGER NOT NULL
) STRICT;

-- What people said of signals alike.
CREATE TABLE signal_opinion (
    organization TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    entity TEXT NOT NULL,
    label TEXT NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (organization, kind, rule, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX signal_opinion_by_time ON signal_opinion (at);

-- What programs of a host took of processor and memory: looks of ten minutes in steps of an eighth of a power of two, a byte each.
CREATE TABLE fleet_process_use (
    agent INTEGER NOT NULL,
    program TEXT NOT NULL,
    -- Nanoseconds since 1970.
    first INTEGER NOT NULL,
    -- The number of the last look.
    slot INTEGER NOT NULL,
    processor BLOB NOT NULL,
    -- Looks that are strange so far, and not told.
    processor_strange BLOB NOT NULL,
    memory BLOB NOT NULL,
    memory_strange BLOB NOT NULL,
    PRIMARY KEY (agent, program)
) STRICT, WITHOUT ROWID;

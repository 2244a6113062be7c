-- One row for each passage that the evidence room has settled. Row ids are the order of settling. Times are the
-- passage's. `chain` and `digest` are the seal's place in its lane's chain; a deleted picture keeps its row.
CREATE TABLE pictures (
    id          INTEGER PRIMARY KEY,
    record_id   TEXT    NOT NULL UNIQUE,
    read_id     TEXT    NOT NULL,
    lane        TEXT    NOT NULL,
    direction   TEXT    NOT NULL,
    camera      TEXT    NOT NULL,
    plate       TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    passed_ms   INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('made', 'missing', 'failed', 'deleted')),
    why         TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    plate_width INTEGER NOT NULL,
    flags       TEXT    NOT NULL,
    chain       INTEGER NOT NULL,
    digest      TEXT    NOT NULL
) STRICT;
CREATE INDEX by_read ON pictures (read_id);

-- Ledger seq before which every passage is settled. One row.
CREATE TABLE cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO cursor (one, seq) VALUES (1, 0);

-- The queue is this table. Row ids are the order of making.
CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    city        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    item_id     TEXT    NOT NULL,
    visit_id    TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    plate       TEXT    NOT NULL,
    made_ms     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_ms      INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'set_aside')),
    last_answer TEXT    NOT NULL DEFAULT '',
    UNIQUE (city, kind, item_id)
) STRICT;

-- Holds only what waits, and all that `due` asks about: choosing reads no row. Search by plate scans the table: it
-- is rare, done by a person, and an index would add a page to every delivery.
CREATE INDEX waiting ON deliveries (city, visit_id, id, due_ms, made_ms) WHERE state = 'waiting';

-- Ledger seq up to which facts have been turned into deliveries. One row.
CREATE TABLE cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO cursor (one, seq) VALUES (1, 0);

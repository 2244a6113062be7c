-- The queue of pictures that the city's storage is to get; a row comes in one transaction with its picture's.
-- `gone`: the file was deleted before it could be uploaded. Times: `due_ms` is a clock that no step moves.
CREATE TABLE uploads (
    id          INTEGER PRIMARY KEY,
    record_id   TEXT    NOT NULL UNIQUE,
    passed_ms   INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_ms      INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'stored', 'set_aside', 'gone')),
    last_answer TEXT    NOT NULL DEFAULT '',
    answered_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Hold only what waits and what was set aside, so that choosing and counting read no other row.
CREATE INDEX upload_waiting ON uploads (passed_ms, due_ms) WHERE state = 'waiting';
CREATE INDEX upload_aside ON uploads (id) WHERE state = 'set_aside';

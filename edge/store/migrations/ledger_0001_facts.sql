-- Every fact, once, in order. `seq` is handed out by the one writer and never used twice (store/recovery.py), so
-- AUTOINCREMENT would only add its own page (4 KB) to every commit. No index on `id`: a UNIQUE text index doubles
-- the bytes written, and an SD card wears out by bytes. The body is JSON text so that a person can query it.
CREATE TABLE facts (
    seq     INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL,
    lane    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    boot_id TEXT    NOT NULL,
    mono_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    synced  INTEGER NOT NULL,
    body    TEXT    NOT NULL
) STRICT;

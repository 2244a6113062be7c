-- The fold of all facts up to `seq`, so that a start reads some hundred facts and not a million. One row.
CREATE TABLE snapshot (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    data BLOB    NOT NULL
) STRICT;

-- One entry per boot: the true time of its facts (DESIGN 4). Other facts do not touch this index.
CREATE INDEX clock_sets ON facts (boot_id) WHERE kind = 'ClockSet';

-- Who did what at the page: append only. `hash` covers the line and the hash before it; no line can be changed, and
-- deleted can only be what the anchor says has been kept long enough.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at_ms      INTEGER NOT NULL,
    clock_true INTEGER NOT NULL,
    who        TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    ok         INTEGER NOT NULL,
    zh         TEXT    NOT NULL,
    en         TEXT    NOT NULL,
    hash       TEXT    NOT NULL
) STRICT;

-- The last line that was deleted for its age: the chain goes on from its hash. One row.
CREATE TABLE anchor (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    hash TEXT    NOT NULL
) STRICT;
INSERT INTO anchor (one, seq, hash) VALUES (1, 0, '');

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append only');
END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN OLD.seq > (SELECT seq FROM anchor)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append only');
END;
CREATE TRIGGER anchor_only_advances BEFORE UPDATE ON anchor WHEN NEW.seq <= OLD.seq
BEGIN
    SELECT RAISE(ABORT, 'the audit is append only');
END;

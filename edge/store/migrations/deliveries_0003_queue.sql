-- What a message is never changes; what waits and what came of it are small rows of their own. So an accepted record
-- costs some forty bytes in pages that it shares with its neighbours, and not its own page written anew.
CREATE TABLE messages (
    id       INTEGER PRIMARY KEY,
    city     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    item_id  TEXT    NOT NULL,
    visit_id TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    plate    TEXT    NOT NULL,
    made_ms  INTEGER NOT NULL,
    read_id  TEXT    NOT NULL
) STRICT;
INSERT INTO messages SELECT id, city, kind, item_id, visit_id, body, plate, made_ms, read_id
    FROM deliveries ORDER BY id;

-- What belongs to a visit, and whether a message is there already. Ids are random, so every new row opens another page
-- of this index: their last eight digits are enough to find the few rows that are then compared as a whole.
CREATE INDEX visits ON messages (substr(iif(visit_id = '', item_id, visit_id), -8));

-- Read from its beginning, which is where what is accepted leaves it: no index, no page more in a commit.
DROP INDEX waiting;
CREATE TABLE waiting (
    id          INTEGER PRIMARY KEY,
    city        TEXT    NOT NULL,
    made_ms     INTEGER NOT NULL,
    after_id    INTEGER NOT NULL,  -- the message of its visit before it, 0 = none: while that one waits it waits, too
    due_ms      INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    last_answer TEXT    NOT NULL,
    answered_ms INTEGER NOT NULL
) STRICT;
INSERT INTO waiting SELECT d.id, d.city, d.made_ms,
        ifnull((SELECT max(e.id) FROM messages AS e INDEXED BY visits
            WHERE substr(iif(e.visit_id = '', e.item_id, e.visit_id), -8) = substr(d.visit_id, -8)
            AND +e.visit_id = d.visit_id AND d.visit_id <> '' AND e.id < d.id AND e.city = d.city), 0),
        d.due_ms, d.attempts, d.last_answer, d.answered_ms
    FROM deliveries AS d WHERE d.state = 'waiting' ORDER BY d.id;

CREATE TABLE ended (
    id          INTEGER PRIMARY KEY,
    state       TEXT    NOT NULL CHECK (state IN ('accepted', 'set_aside')),
    attempts    INTEGER NOT NULL,
    last_answer TEXT    NOT NULL,
    answered_ms INTEGER NOT NULL
) STRICT;
INSERT INTO ended SELECT id, state, attempts, last_answer, answered_ms
    FROM deliveries WHERE state <> 'waiting' ORDER BY id;

DROP TABLE deliveries;

-- All three put together, for whoever reads.
CREATE VIEW deliveries AS SELECT m.id, m.city, m.kind, m.item_id, m.visit_id, m.body, m.plate, m.made_ms,
    ifnull(w.attempts, ifnull(e.attempts, 0)) AS attempts, ifnull(w.due_ms, 0) AS due_ms,
    CASE WHEN w.id IS NULL THEN ifnull(e.state, 'set_aside') ELSE 'waiting' END AS state,
    ifnull(w.last_answer, ifnull(e.last_answer, '')) AS last_answer, m.read_id,
    ifnull(w.answered_ms, ifnull(e.answered_ms, 0)) AS answered_ms
    FROM messages AS m LEFT JOIN waiting AS w ON w.id = m.id LEFT JOIN ended AS e ON e.id = m.id;

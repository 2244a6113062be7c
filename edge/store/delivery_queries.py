"""The queue's questions and changes as SQL. Lists of ids go in as JSON text: one statement a change, run outside of
Python's own lock, so that a thread that talks to a city goes on meanwhile.
"""

from __future__ import annotations

INSERT = (
    "INSERT INTO messages (city, kind, item_id, visit_id, body, plate, made_ms, read_id, leads) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
    "?4 = '' OR NOT EXISTS (SELECT 1 FROM messages WHERE visit_id = ?4 AND city = ?1)) "
    "ON CONFLICT (city, kind, item_id) DO NOTHING"
)
ENQUEUE = "INSERT INTO waiting SELECT id, city, 0, 0, '', 0 FROM messages WHERE id > ?"

_FIELDS = (  # as in `Delivery`
    "m.id, m.city, m.kind, m.item_id, m.visit_id, m.body, m.plate, m.made_ms, w.attempts, w.due_ms, 'waiting', "
    "w.last_answer, m.read_id, w.answered_ms"
)

# What waits of each visit that has a live message, oldest first: an exit pulls its own entry along. Only the oldest
# may go, and only when its time has come.
LIVE = f"""
WITH live AS (
    SELECT m.id, m.visit_id FROM messages AS m INDEXED BY made CROSS JOIN waiting AS w ON w.id = m.id
        WHERE m.made_ms >= :live_ms AND m.city = :city
), head AS (
    SELECT id FROM live WHERE visit_id = ''
    UNION
    SELECT (SELECT min(w.id) FROM messages AS m INDEXED BY visits CROSS JOIN waiting AS w ON w.id = m.id
        WHERE m.visit_id = live.visit_id AND m.city = :city) FROM live WHERE visit_id <> ''
)
SELECT {_FIELDS} FROM head CROSS JOIN waiting AS w ON w.id = head.id CROSS JOIN messages AS m ON m.id = w.id
    WHERE w.due_ms <= :now_ms AND w.id NOT IN (SELECT value FROM json_each(:busy))
    ORDER BY w.id LIMIT :limit
"""

# What was never tried stands in the order of making under due_ms 0, so a page of it costs the same whether a hundred
# rows wait or a million; what comes again is few, and is put in its place among them.
_HEADS = """
    SELECT w.id FROM waiting AS w INDEXED BY due CROSS JOIN messages AS m ON m.id = w.id
    WHERE w.city = :city AND w.due_ms {when} AND w.id NOT IN (SELECT value FROM json_each(:busy))
    AND (m.leads OR NOT EXISTS (SELECT 1 FROM messages AS e INDEXED BY visits CROSS JOIN waiting AS x ON x.id = e.id
        WHERE e.visit_id = m.visit_id AND e.id < m.id AND e.city = m.city))
    ORDER BY w.due_ms, w.id LIMIT :limit
"""
BACKLOG = f"""
WITH head AS (
    SELECT * FROM ({_HEADS.format(when="= 0")}) UNION ALL
    SELECT * FROM ({_HEADS.format(when="BETWEEN 1 AND :now_ms")})
)
SELECT {_FIELDS} FROM (SELECT id FROM head ORDER BY id LIMIT :limit) AS h
    CROSS JOIN waiting AS w ON w.id = h.id CROSS JOIN messages AS m ON m.id = w.id ORDER BY w.id
"""

_IDS = "id IN (SELECT value FROM json_each(:ids))"
END = (
    f"INSERT INTO ended SELECT id, :state, attempts, :answer, :at_ms FROM waiting WHERE {_IDS}",
    f"DELETE FROM waiting WHERE {_IDS}",
)
ACCEPT_LATE = (
    "UPDATE ended SET state = 'accepted', last_answer = :answer, answered_ms = :at_ms "
    f"WHERE state = 'set_aside' AND {_IDS}"
)
FAIL = (
    "UPDATE waiting SET attempts = attempts + 1, due_ms = :due_ms, last_answer = :answer, answered_ms = :at_ms "
    f"WHERE {_IDS}"
)
REPEAT = (
    f"""INSERT INTO waiting SELECT id, m.city, 0, 0, e.last_answer, e.answered_ms
        FROM ended AS e JOIN messages AS m USING (id) WHERE e.state = 'set_aside' AND {_IDS}""",
    f"DELETE FROM ended WHERE state = 'set_aside' AND {_IDS}",
)
OLD = (
    "SELECT m.id FROM messages AS m INDEXED BY made JOIN ended AS e USING (id) "
    "WHERE m.made_ms < ? AND e.state = 'accepted' ORDER BY m.id LIMIT ?"
)
PRUNE = (f"DELETE FROM ended WHERE {_IDS}", f"DELETE FROM messages WHERE {_IDS}")

COUNTS = "SELECT 'waiting', count(*) FROM waiting UNION ALL SELECT state, count(*) FROM ended GROUP BY state"

"""The queue's questions and changes as SQL. Lists of ids go in as JSON text: one statement a change, run outside of
Python's own lock, so that a thread that talks to a city goes on meanwhile.
"""

from __future__ import annotations

_KEY = "substr(iif(e.visit_id = '', e.item_id, e.visit_id), -8)"  # as in the index
KEY_DIGITS = 8
# A `+` below keeps SQLite from putting the known visit into that expression, which the index would then fit no more.


def _same_visit(visit_id: str) -> str:
    """Of `messages AS e`: what has that visit, found by the index and then compared as a whole."""
    return f"{_KEY} = substr({visit_id}, -{KEY_DIGITS}) AND +e.visit_id = {visit_id}"


# ?9: the last digits of visit_id, or of item_id where there is no visit.
INSERT = (
    "INSERT INTO messages (city, kind, item_id, visit_id, body, plate, made_ms, read_id) "
    "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM messages AS e INDEXED BY visits "
    f"WHERE {_KEY} = ?9 AND +e.visit_id = ?4 AND e.city = ?1 AND e.item_id = ?3 AND e.kind = ?2)"
)
_BEFORE = f"""ifnull((SELECT max(e.id) FROM messages AS e INDEXED BY visits
    WHERE {_same_visit("m.visit_id")} AND m.visit_id <> '' AND e.id < m.id AND e.city = m.city), 0)"""
ENQUEUE = f"""INSERT INTO waiting SELECT m.id, m.city, m.made_ms, {_BEFORE}, 0, 0, '', 0
    FROM messages AS m WHERE m.id > ?"""

_DUE = "m.id, m.kind, m.item_id, m.body, m.made_ms, w.attempts"  # as in `ports.Due`
# A page comes as one row of lists: every row of an answer would take and give back Python's lock, and wait for it.
SEPARATOR = "\x1e"  # JSON has no bare control characters, nor have ids and kinds
PAGE = f"""
SELECT json_group_array(id), group_concat(kind, '{SEPARATOR}'), group_concat(item_id, '{SEPARATOR}'),
    CAST(group_concat(body, '{SEPARATOR}') AS BLOB), json_group_array(made_ms), json_group_array(attempts)
    FROM ({{rows}})
"""
_NOT_BUSY = "w.id NOT IN (SELECT value FROM json_each(:busy))"

# The newest rows that wait, those made within the last minute; of their visits the oldest that waits, when its time
# has come: an exit pulls its own entry along. What is newer than a live row is as live: a few hundred are a minute.
LIVE = PAGE.format(rows=f"""
WITH newest AS (
    SELECT id, made_ms FROM waiting WHERE city = :city ORDER BY id DESC LIMIT 500
), live AS (
    SELECT m.id, m.visit_id FROM newest CROSS JOIN messages AS m USING (id) WHERE newest.made_ms >= :live_ms
), head AS (
    SELECT id FROM live WHERE visit_id = ''
    UNION
    SELECT (SELECT min(w.id) FROM messages AS e INDEXED BY visits CROSS JOIN waiting AS w ON w.id = e.id
        WHERE {_same_visit("live.visit_id")} AND e.city = :city) FROM live WHERE visit_id <> ''
)
SELECT {_DUE} FROM head CROSS JOIN waiting AS w ON w.id = head.id CROSS JOIN messages AS m ON m.id = w.id
    WHERE w.due_ms <= :now_ms AND {_NOT_BUSY} ORDER BY w.id LIMIT :limit
""")

# From the queue's beginning: a page costs the same whether a hundred rows wait or a million.
BACKLOG = PAGE.format(rows=f"""
SELECT {_DUE} FROM waiting AS w CROSS JOIN messages AS m ON m.id = w.id
    WHERE w.city = :city AND w.due_ms <= :now_ms AND {_NOT_BUSY}
    AND NOT EXISTS (SELECT 1 FROM waiting AS before WHERE before.id = w.after_id)
    ORDER BY w.id LIMIT :limit
""")

ANY_WAITING = "SELECT 1 FROM waiting WHERE city = :city LIMIT 1"

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
# Then all that waits of those visits stands behind what waits before it, whatever was accepted in between.
REPEAT = (
    f"""INSERT INTO waiting SELECT id, m.city, m.made_ms, 0, 0, 0, e.last_answer, e.answered_ms
        FROM ended AS e JOIN messages AS m USING (id) WHERE e.state = 'set_aside' AND {_IDS}""",
    f"DELETE FROM ended WHERE state = 'set_aside' AND {_IDS}",
    f"""WITH visit AS (SELECT DISTINCT visit_id, city FROM messages WHERE visit_id <> '' AND {_IDS}),
    late AS (
        SELECT (SELECT max(w.id) FROM messages AS e INDEXED BY visits CROSS JOIN waiting AS w ON w.id = e.id
            WHERE {_same_visit("m.visit_id")} AND e.id < m.id AND e.city = m.city) AS after_id, m.id AS late_id
        FROM visit CROSS JOIN messages AS m INDEXED BY visits
            ON {_KEY.replace("e.", "m.")} = substr(visit.visit_id, -{KEY_DIGITS}) AND +m.visit_id = visit.visit_id
            AND m.city = visit.city
    )
    UPDATE waiting SET after_id = late.after_id FROM late WHERE late.late_id = waiting.id AND late.after_id > 0""",
)
OLD = (
    "SELECT m.id FROM ended AS e CROSS JOIN messages AS m ON m.id = e.id "
    "WHERE e.state = 'accepted' AND m.made_ms < ? ORDER BY e.id LIMIT ?"
)
PRUNE = (f"DELETE FROM ended WHERE {_IDS}", f"DELETE FROM messages WHERE {_IDS}")

COUNTS = "SELECT 'waiting', count(*) FROM waiting UNION ALL SELECT state, count(*) FROM ended GROUP BY state"

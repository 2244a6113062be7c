"""Users, passwords, locks, sessions and rates by themselves; the time is the test's."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.web import passwords
from edge.web.accounts import FIRST_FILE, AccountError, Accounts
from edge.web.lockout import KEYS_MAX, LOCK_S, TRIES, TRIES_WIDE, Lockout, address_key, login_keys
from edge.web.rate import Limiter, Rate
from edge.web.sessions import OF_ONE_USER_MAX, SESSIONS_MAX, Sessions, right_csrf
from tests.web_house import PASSWORD, QUICK


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path, lambda: 1000, QUICK)
    made.open()
    return made


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("Abcdef12", True), ("abc-ef12", True), ("ABC-EF12", True), ("密码Abc123", True),
        ("Abcde12", False), ("abcdefgh12", False), ("ABCDEFGH", False), ("12345678!", False), ("", False),
        ("xAdmin-1234", False), ("Tom-aDMIN9", False),
    ],
)  # fmt: skip
def test_a_password_needs_eight_characters_of_three_classes_without_the_name(password: str, good: bool) -> None:
    assert (passwords.weakness(password, "admin") is None) is good


def test_a_hash_is_scrypt_as_the_standard_library_computes_it() -> None:
    kept = passwords.hashed("Right-1234")
    name, n, r, p, salt, key = kept.split(":")
    assert (name, int(n), int(r), int(p)) == ("scrypt", 16384, 8, 5)
    assert hashlib.scrypt(
        b"Right-1234", salt=bytes.fromhex(salt), n=16384, r=8, p=5, maxmem=1 << 26, dklen=32
    ).hex() == key  # fmt: skip
    assert passwords.hashed("Right-1234", *QUICK) != passwords.hashed("Right-1234", *QUICK)


def test_a_hash_that_would_take_minutes_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed"):
        passwords.matches("x", f"scrypt:{1 << 24}:8:1:{'0' * 32}:{'0' * 64}")


@settings(max_examples=20)
@given(st.text(max_size=40), st.text(max_size=40))
def test_only_the_same_password_matches(one: str, other: str) -> None:
    assert passwords.matches(other, passwords.hashed(one, *QUICK)) is (one == other)


def test_the_first_boot_makes_one_admin_whose_password_must_change(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path, lambda: 1000, QUICK)
    first, moved = accounts.open()
    assert moved is None
    assert passwords.weakness(first, "admin") is None
    label = tmp_path / FIRST_FILE
    assert label.read_text() == f"admin {first}\n"
    for file in (label, tmp_path / "accounts.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first not in (tmp_path / "accounts.json").read_text()
    user = accounts.check("admin", first)
    assert user is not None
    assert user.must_change_password
    assert accounts.change_password(user, PASSWORD) is not None
    assert not label.exists()
    again = Accounts(tmp_path, lambda: 1000, QUICK)
    assert again.open() == ("", None)
    assert again.check("admin", first) is None
    found = again.check("admin", PASSWORD)
    assert found is not None
    assert not found.must_change_password


def test_no_two_boxes_have_the_same_first_password(tmp_path: Path) -> None:
    made = {Accounts(tmp_path / str(number), lambda: 0, QUICK).open()[0] for number in range(20)}
    assert len(made) == 20


def test_a_damaged_file_is_kept_and_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text('{"version":1,"users":[{"name":"admin","hash":"plain"}]}')
    accounts = Accounts(tmp_path, lambda: 77, QUICK)
    first, moved = accounts.open()
    assert moved == tmp_path / "accounts.json.damaged-77"
    assert moved.exists()
    assert accounts.check("admin", first) is not None


def test_a_disk_that_fails_makes_nobody_somebody(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_text("a file where the folder should be")
    accounts = Accounts(place, lambda: 0, QUICK)
    with pytest.raises(OSError, match="place"):
        accounts.open()
    with pytest.raises(OSError, match="place"):
        accounts.check("admin", "")
    place.unlink()
    assert accounts.check("admin", "") is None  # begun now: the label's file has the password
    assert (place / FIRST_FILE).exists()


def test_users_are_made_changed_and_removed_and_one_admin_stays(accounts: Accounts, tmp_path: Path) -> None:
    first = accounts.add("tom", "technician")
    made = accounts.check("tom", first)
    assert made is not None
    assert (made.role, made.must_change_password) == ("technician", True)
    with pytest.raises(AccountError, match="exists"):
        accounts.add("TOM", "viewer")
    with pytest.raises(AccountError, match="administrator"):
        accounts.remove("admin")
    with pytest.raises(AccountError, match="administrator"):
        accounts.set_role("admin", "viewer")
    accounts.set_role("tom", "admin")
    accounts.remove("admin")
    assert [user.name for user in accounts.users()] == ["tom"]
    second = accounts.reset("tom")
    assert accounts.check("tom", first) is None
    assert accounts.check("tom", second) is not None
    with pytest.raises(AccountError, match="no user"):
        accounts.reset("nobody")
    kept = json.loads((tmp_path / "accounts.json").read_text())
    assert [user["name"] for user in kept["users"]] == ["tom"]


def test_there_is_a_most_of_users(accounts: Accounts) -> None:
    for number in range(19):
        accounts.add(f"user{number}", "viewer")
    with pytest.raises(AccountError, match="at most 20"):
        accounts.add("one-more", "viewer")


# --- locks -----------------------------------------------------------------------------------------------------


HERE, THERE = "10.0.0.9", "10.0.0.8"


def wrong(lockout: Lockout, user: str, address: str, times: int, now_s: float = 0.0) -> list[float]:
    return [lockout.begin(login_keys(user, address), now_s) for _ in range(times)]


def test_five_wrong_tries_lock_a_user_at_an_address_for_300_s() -> None:
    lockout = Lockout()
    for second in range(TRIES):
        assert wrong(lockout, "Tom", HERE, 1, float(second)) == [0]
    locked_at_s = TRIES - 1.0
    assert wrong(lockout, "tom", HERE, 1, locked_at_s) == [LOCK_S]
    assert lockout.user_wait_s("Tom", locked_at_s) == LOCK_S
    assert wrong(lockout, "ann", HERE, 1, locked_at_s) == [0]  # who shares the address
    assert wrong(lockout, "tom", THERE, 1, locked_at_s) == [0]  # tom himself, elsewhere
    assert wrong(lockout, "tom", HERE, 1, locked_at_s + LOCK_S - 1) == [1]
    assert wrong(lockout, "tom", HERE, 1, locked_at_s + LOCK_S) == [0]


def test_a_right_one_takes_the_count_back() -> None:
    lockout = Lockout()
    for _ in range(10):
        assert wrong(lockout, "tom", HERE, TRIES - 1) == [0] * (TRIES - 1)
        lockout.right(login_keys("tom", HERE))


def test_an_address_is_locked_whatever_names_it_tries() -> None:
    lockout = Lockout()
    for number in range(TRIES_WIDE):
        assert wrong(lockout, f"nobody{number}", HERE, 1) == [0]
    assert wrong(lockout, "other", HERE, 1) == [LOCK_S]
    assert wrong(lockout, "other", THERE, 1) == [0]


def test_a_user_is_locked_from_wherever_somebody_guesses() -> None:
    lockout = Lockout()
    tried = [wait for number in range(100) for wait in wrong(lockout, "tom", f"10.0.1.{number}", TRIES)]
    assert tried.count(0) == TRIES_WIDE
    assert wrong(lockout, "tom", THERE, 1) == [LOCK_S]
    lockout.forgive("Tom")  # an admin gave him a new password
    assert wrong(lockout, "tom", THERE, 1) == [0]


def test_an_hour_of_guessing_is_few_guesses() -> None:
    lockout = Lockout()
    tried = [wrong(lockout, f"user{second % 7}", HERE, 1, float(second))[0] for second in range(3600)]
    assert tried.count(0) <= TRIES_WIDE * (3600 / LOCK_S)


def test_no_name_that_is_typed_is_the_key_of_another() -> None:
    lockout = Lockout()
    for name in (f"tom {HERE}", f"{HERE} tom", f"pair {HERE} tom", f"x\n{HERE} tom", " tom"):
        wrong(lockout, name, THERE, TRIES)
    assert wrong(lockout, "tom", HERE, 1) == [0]
    assert lockout.user_wait_s("tom", 0.0) == 0


def test_memory_is_bounded_and_what_is_locked_stays_locked() -> None:
    lockout = Lockout()
    wrong(lockout, "tom", HERE, TRIES)
    for number in range(3 * KEYS_MAX):
        wrong(lockout, f"u{number}", f"10.1.{number >> 8}.{number & 255}", 1, 1.0)
    assert lockout.user_wait_s("tom", 2.0) > 0
    assert len(lockout._counts) <= KEYS_MAX + 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::1", True),
    ],
)
def test_an_ipv6_host_is_its_64(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) is same


# --- sessions ----------------------------------------------------------------------------------------------------


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_session_ends_after_its_idle_time_and_not_before() -> None:
    clock = Clock()
    sessions = Sessions(600, clock)
    token, session = sessions.begin("tom", "viewer", False, "a")
    for _ in range(5):
        clock.now_s += 600
        assert sessions.find(token) is session
    clock.now_s += 300
    assert sessions.find(token, active=False) is session  # the page asked by itself
    clock.now_s += 301
    assert sessions.find(token) is None
    assert not sessions.alive(session)


def test_a_session_ends_after_a_shift() -> None:
    clock = Clock()
    sessions = Sessions(600, clock)
    token, _ = sessions.begin("tom", "viewer", False, "a")
    while clock.now_s < 12 * 3600:
        assert sessions.find(token) is not None
        clock.now_s += 500
    assert sessions.find(token) is None


def test_sessions_are_bounded_for_one_and_for_all() -> None:
    clock = Clock()
    sessions = Sessions(600, clock)
    first, _ = sessions.begin("tom", "viewer", False, "a")
    for _ in range(OF_ONE_USER_MAX):
        clock.now_s += 1
        sessions.begin("tom", "viewer", False, "a")
    assert sessions.find(first) is None
    for number in range(2 * SESSIONS_MAX):
        sessions.begin(f"u{number}", "viewer", False, "a")
    assert len(sessions._sessions) <= SESSIONS_MAX


def test_tokens_are_kept_as_hashes_and_csrf_is_its_own() -> None:
    sessions = Sessions(600, Clock())
    token, session = sessions.begin("tom", "viewer", False, "a")
    assert token not in repr(sessions._sessions)
    assert session.key == hashlib.sha256(token.encode()).hexdigest()
    assert right_csrf(session, session.csrf)
    assert not right_csrf(session, "")
    assert not right_csrf(session, "\udcff")
    assert not right_csrf(session, token)


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    limiter, rate = Limiter(), Rate(3, 2)
    assert [limiter.wait_s("a", rate, 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait_s("b", rate, 0.0) == 0
    assert limiter.wait_s("a", rate, 0.5) == 0
    for number in range(5000):
        limiter.wait_s(str(number), rate, 1.0)
    assert len(limiter._buckets) <= 1024

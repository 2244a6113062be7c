"""`parkbox backup` and `parkbox restore` as typed, the nightly run, and what the page says after a restore."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from edge.box.restore_open import open_backup
from edge.box.restore_place import NOTE, Places, Restored, note_seen, read_note
from edge.cli import main
from edge.config.load import load
from hal_sim.ledger_view import facts_after
from tests.delivery_records import record
from tests.program_rig import box_in, until
from tests.web_house import Client

PASSPHRASE = "correct horse battery"


class Shell:
    """A box by the commands alone; its programs do not run, unless the test starts them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], config: Path) -> None:
        self.folder, self.config, self._capsys = folder, config, capsys
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.passphrase.chmod(0o600)

    def run(self, *words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        out, err = self._capsys.readouterr()
        return code, out, err

    def restore(self, file: Path, new: Path, *more: object) -> tuple[int, str, str]:
        return self.run("restore", file, "--passphrase-file", self.passphrase, "--config", new / "box.toml", "--data",
                        new / "data", "--secrets", new / "secrets", "--socket", new / "lane.sock", "--user", "", *more)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    with box_in(tmp_path / "box") as box:
        with box.lane() as lane:
            lane.await_ready()
            lane.stop()
        yield Shell(tmp_path, capsys, box.config)


def test_there_and_back(shell: Shell, tmp_path: Path) -> None:
    out, new = tmp_path / "b.parkbox", tmp_path / "new"
    new.mkdir()
    box_id = load(shell.config).box.id
    code, said, _ = shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    assert code == 0 and box_id in said and out.stat().st_mode & 0o077 == 0
    code, _, err = shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    assert code == 1 and "exists already" in err
    shown = shell.run("restore", out, "--show")[1]
    assert shown.startswith(box_id) and "Beijing" in shown and "not judged" in shown
    code, said, err = shell.restore(out, new)
    assert code == 0 and "old box must not come back" in said
    data = Path(load(shell.config).box.data_dir)
    assert err.startswith(f"注意: 备份的配置 box.data_dir = {data}, 数据却恢复到 {new / 'data'}")
    assert (new / "box.toml").read_bytes() == shell.config.read_bytes()
    assert (new / "data" / "ledger.db").exists()
    note = read_note(new / "data")
    assert note is not None
    assert note.box == box_id and not note.seen


def test_restored_twice_no_number_of_a_fact_is_used_twice(shell: Shell, tmp_path: Path) -> None:
    out, new = tmp_path / "b.parkbox", tmp_path / "new"
    new.mkdir()
    shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    lives = []
    for number, more in enumerate(((), ("--replace",))):
        assert shell.restore(out, new, *more)[0] == 0
        record(new / "data" / "ledger.db", range(number + 1, number + 2))  # the box works on
        lives.append({row.seq: row.id for row in facts_after(new / "data" / "ledger.db", 0)})
    assert all(lives[1][seq] == lives[0][seq] for seq in lives[0].keys() & lives[1].keys())
    assert lives[0] != lives[1]


def test_data_does_not_go_where_nobody_asked_for_it_and_no_program_looks(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, new = tmp_path / "b.parkbox", tmp_path / "new"
    new.mkdir()
    shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    monkeypatch.setattr("edge.box.restore_command.BOX_DATA", str(new / "data"))
    words = ("restore", out, "--passphrase-file", shell.passphrase, "--config", new / "box.toml", "--secrets",
             new / "secrets", "--socket", new / "lane.sock", "--user", "")  # fmt: skip
    code, _, err = shell.run(*words)
    assert code == 1 and "give --data" in err
    assert not (new / "box.toml").exists() and list((new / "data").iterdir()) == []
    config = shell.config.read_text()
    data = str(load(shell.config).box.data_dir)
    assert data in config
    shell.config.write_text(config.replace(data, str(new / "data")))
    shutil.copytree(data, new / "data", dirs_exist_ok=True)
    out.unlink()
    shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    code, _, err = shell.run(*words)
    assert (code, err) == (0, "")


def cut_off(file: Path, new: Path) -> int:
    """A restore that was committed, and nothing of it done. When its backup was made, in ms."""
    with file.open("rb") as source:
        return open_backup(source, PASSPHRASE, Places(new / "box.toml", new / "secrets", new / "data")).made_ms


@pytest.fixture
def two(shell: Shell, tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two backups of one box, and a new card."""
    first, second, new = tmp_path / "a.parkbox", tmp_path / "b.parkbox", tmp_path / "new"
    (new / "data").mkdir(parents=True)
    for file in (first, second):
        assert shell.run("backup", shell.config, file, "--passphrase-file", shell.passphrase)[0] == 0
        record(Path(load(shell.config).box.data_dir) / "ledger.db", range(3))  # cars pass before the second one
    return first, second, new


def test_a_restore_that_was_cut_off_is_finished_by_the_same_file(
    shell: Shell, two: tuple[Path, Path, Path]
) -> None:
    first, _, new = two
    made_ms = cut_off(first, new)
    code, said, err = shell.restore(first, new)
    assert (code, err) == (0, "") and "cut off is finished" in said
    note = read_note(new / "data")
    assert note is not None
    assert note.made_ms == made_ms


def test_another_file_comes_after_the_one_that_was_cut_off(shell: Shell, two: tuple[Path, Path, Path]) -> None:
    """It used to end with 0, the file never opened."""
    first, second, new = two
    made_ms = cut_off(first, new)
    code, said, err = shell.restore(second, new)
    assert code == 0, err
    assert "cut off is finished" in said and f"and now {second}" in said and "已恢复 restored" in said
    note = read_note(new / "data")
    assert note is not None
    assert note.made_ms > made_ms
    assert len(facts_after(new / "data" / "ledger.db", 0)) >= 3


def test_another_file_is_refused_when_what_was_cut_off_is_a_box_in_use(
    shell: Shell, two: tuple[Path, Path, Path]
) -> None:
    first, second, new = two
    made_ms = cut_off(second, new)
    code, said, err = shell.restore(first, new)
    assert code == 1 and "cut off is finished" in said and "--replace" in err
    note = read_note(new / "data")
    assert note is not None
    assert note.made_ms == made_ms


@pytest.mark.parametrize("record_bytes", [b"{", b'{"box":"\xff"}', b""])
def test_a_damaged_record_of_a_restore_is_told_and_replaced(
    shell: Shell, two: tuple[Path, Path, Path], record_bytes: bytes
) -> None:
    first, second, new = two
    cut_off(first, new)
    stage = new / "data" / ".restore"
    (stage / "READY").write_bytes(record_bytes)
    (new / "data" / "replaced-1-1").mkdir()
    (new / "data" / "replaced-1-1" / "ledger.generation").write_text("7")  # of the data that was moved aside first
    before = sorted(path.relative_to(stage) for path in stage.rglob("*"))
    code, _, err = shell.restore(second, new)
    assert code == 1 and str(stage / "READY") in err and "已损坏" in err and "--replace" in err
    shell.passphrase.write_text("not the passphrase")
    code, _, err = shell.restore(second, new, "--replace")
    assert code == 1 and "wrong passphrase" in err
    shell.passphrase.write_text(PASSPHRASE)
    damaged = new / "damaged.parkbox"
    damaged.write_bytes(second.read_bytes()[:-1])
    code, _, err = shell.restore(damaged, new, "--replace")
    assert code == 1 and "damaged or cut off" in err
    assert sorted(path.relative_to(stage) for path in stage.rglob("*")) == before  # all as it was
    code, said, err = shell.restore(second, new, "--replace")
    assert code == 0 and "已恢复 restored" in said, err
    assert not stage.exists()
    kept = new / "data" / "replaced-restore-1"
    assert sorted(path.relative_to(kept) for path in kept.rglob("*")) == before
    assert (new / "data" / "ledger.generation").read_text() == "8"


def test_without_a_terminal_nobody_is_asked(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("piped in"))
    code, _, err = shell.run("backup", shell.config, tmp_path / "b.parkbox")
    assert (code, "--passphrase-file" in err) == (1, True)
    shell.passphrase.chmod(0o644)
    code, _, err = shell.run("backup", shell.config, tmp_path / "b.parkbox", "--passphrase-file", shell.passphrase)
    assert (code, "0644" in err) == (1, True)


def test_a_machine_without_the_box_s_user_says_so(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "b.parkbox"
    shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    code, _, err = shell.restore(out, tmp_path / "new", "--user", "nobody-of-this-name")
    assert code == 1 and "no user nobody-of-this-name" in err and "--user" in err


def test_a_restore_waits_for_the_programs_to_stop(shell: Shell, tmp_path: Path) -> None:
    """Under a lane program that runs nothing is changed."""
    out = tmp_path / "b.parkbox"
    shell.run("backup", shell.config, out, "--passphrase-file", shell.passphrase)
    with box_in(tmp_path / "other") as other, other.lane() as lane:
        lane.await_ready()
        before = sorted(path.name for path in other.data.iterdir())
        code, _, err = shell.restore(out, tmp_path / "other")
        assert code == 1 and "systemctl stop" in err
        assert sorted(path.name for path in other.data.iterdir()) == before


def test_every_night_and_no_more_than_so_many(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("backup", shell.config, "--nightly")[0] == 0  # no [backup]: nothing to do, and no failed unit
    stick = tmp_path / "stick"
    with shell.config.open("a") as text:
        text.write(f'\n[backup]\npassphrase_file = "{shell.passphrase}"\nfolder = "{stick}"\nkeep = 2\n')
    code, _, err = shell.run("backup", shell.config, "--nightly")
    assert code == 1 and str(stick) in err  # the stick is not in
    stick.mkdir()
    box_id = load(shell.config).box.id
    for day in ("20250101", "20250102", "20250103"):
        (stick / f"{box_id}-{day}-033000.parkbox").touch()
    (stick / "somebody-else.parkbox").touch()
    (stick / f".{box_id}-20250103-040000.parkbox.new").touch()  # the power went
    assert shell.run("backup", shell.config, "--nightly")[0] == 0
    names = sorted(path.name for path in stick.iterdir())
    assert len(names) == 3 and "somebody-else.parkbox" in names and f"{box_id}-20250103-033000.parkbox" in names


@pytest.mark.parametrize(
    ("keep", "left"),
    [(1, set()), (2, {"20250102"}), (3, {"20250102", "20250101"}), (4, {"20250102", "20250101", "20980102"})],
)
def test_tonight_s_stays_when_others_are_dated_later(shell: Shell, tmp_path: Path, keep: int, left: set[str]) -> None:
    """The clock was wrong for a while: what bears its dates goes first, and the newest of it last."""
    stick = tmp_path / "stick"
    stick.mkdir()
    with shell.config.open("a") as text:
        text.write(f'\n[backup]\npassphrase_file = "{shell.passphrase}"\nfolder = "{stick}"\nkeep = {keep}\n')
    box_id = load(shell.config).box.id
    before = {day: stick / f"{box_id}-{day}-033000.parkbox" for day in ("20250101", "20250102", "20980101", "20980102")}
    for path in before.values():
        path.touch()
    code, said, _ = shell.run("backup", shell.config, "--nightly")
    assert code == 0
    made = Path(said.partition(": ")[0])
    assert made.stat().st_size > 0
    assert set(stick.iterdir()) == {made} | {before[day] for day in left}


def test_tonight_s_stays_when_the_clock_is_behind(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    with shell.config.open("a") as text:
        text.write(f'\n[backup]\npassphrase_file = "{shell.passphrase}"\nfolder = "{stick}"\nkeep = 2\n')
    box_id = load(shell.config).box.id
    for day in ("20261120", "20261121", "20261122"):
        (stick / f"{box_id}-{day}-033000.parkbox").touch()
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert shell.run("backup", shell.config, "--nightly")[0] == 0
    names = sorted(path.name for path in stick.iterdir())
    assert names == [f"{box_id}-19700101-080000.parkbox", f"{box_id}-20261122-033000.parkbox"]


def test_an_open_passphrase_file_is_refused(shell: Shell) -> None:
    shell.passphrase.chmod(0o644)
    with shell.config.open("a") as text:
        text.write(f'\n[backup]\npassphrase_file = "{shell.passphrase}"\n')
    code, _, err = shell.run("check", shell.config)
    assert code == 2 and "backup.passphrase_file" in err


def test_the_note_of_a_restore(shell: Shell) -> None:
    data = Path(load(shell.config).box.data_dir)
    (data / NOTE).write_text(json.dumps({"box": "QD-000101", "made_ms": 1_795_233_600_000, "last_seq": 7}))
    note_seen(data)
    assert read_note(data) == Restored("QD-000101", 1_795_233_600_000, 7, True)
    (data / NOTE).write_text("{")
    assert read_note(data) is None


def test_a_restored_box_says_so_until_somebody_has_seen_to_it(tmp_path: Path) -> None:
    with box_in(tmp_path / "box") as box:
        box.data.mkdir(exist_ok=True)
        (box.data / NOTE).write_text(json.dumps({"box": "QD-000101", "made_ms": 1_795_233_600_000, "last_seq": 7}))
        with box.agent() as agent:
            agent.await_ready()
            page = Client(box.web_port)
            page.log_in_first_time(box.data)
            faults = until(lambda: [one for one in state_faults(page) if one["code"] == "restored"], "the fault")
            assert "2026-11-21 12:00" in faults[0]["detail"]
            order = {"fault": "restored", "device": "QD-000101", "why": "已核对"}
            status, answer = page.post("/api/actions/acknowledge_fault", order)
            assert (status, answer["ok"]) == (200, True)
        note = read_note(box.data)
        assert note is not None
        assert note.seen  # the next start does not say it again


def state_faults(page: Client) -> list[dict[str, Any]]:
    state = json.loads(page.ask("GET", "/api/state")[2])
    return [fault for part in state.values() if isinstance(part, dict) for fault in part.get("faults", [])] + list(
        state.get("faults", [])
    )

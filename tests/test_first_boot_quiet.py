"""The boot of every other day does what a whole one would, and only while nothing is new."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.box.first_boot_quiet import QUIET
from edge.cli import main
from tests.boot_tools import CONFIG, NETWORK, SERIAL, card, write_kit


class Machine:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.ground, self._capsys = card(folder), capsys
        self.data = self.ground.places.data

    def boot(self) -> tuple[int, str]:
        """As the unit does: first boot, then what it wants on the boot partition; and a new /run."""
        ground = self.ground
        words = ["first-boot", "--boot", ground.boot, "--config", ground.places.config, "--secrets",
                 ground.places.secrets, "--data", self.data, "--run", ground.run, "--networkd", ground.networkd,
                 "--chrony", ground.chrony, "--user", "", "--serial", SERIAL]  # fmt: skip
        ground.networkd.unlink(missing_ok=True)
        code = main([str(word) for word in words])
        assert main(["first-boot", "--boot-files", "--boot", str(ground.boot), "--run", str(ground.run)]) == 0
        return code, self._capsys.readouterr().out

    def quiet(self) -> bool:
        return (self.data / QUIET).exists()


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Machine:
    made = Machine(tmp_path, capsys)
    write_kit(made.ground.boot)
    made.boot()
    assert not made.quiet()  # the label is only now where it shall be
    made.boot()
    assert made.quiet()
    return made


def loads_the_rest(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names what looks at everything, when it does."""
    looked: list[str] = []
    from edge.box import first_boot_command  # noqa: PLC0415

    whole = first_boot_command._whole

    def seen(*given: object) -> int:
        looked.append("whole")
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(first_boot_command, "_whole", seen)
    return looked


def test_nothing_new_is_told_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    network = machine.ground.networkd.read_text()
    looked = loads_the_rest(monkeypatch)
    code, said = machine.boot()
    assert (code, looked) == (0, [])
    assert machine.ground.networkd.read_text() == network
    assert "first login" in said and "https://192.168.1.50:8443/" in said


@pytest.mark.parametrize("what", ["boot config", "boot network", "page", "password", "certificate", "accounts",
                                  "restore", "secret", "label"])  # fmt: skip
def test_anything_new_is_looked_at(machine: Machine, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    ground, data = machine.ground, machine.data
    changes: dict[str, Callable[[], object]] = {
        "boot config": lambda: write_kit(ground.boot, CONFIG.replace("= 60", "= 61")),
        "boot network": lambda: write_kit(ground.boot, network=NETWORK.replace(".50", ".51")),
        "page": lambda: ground.places.config.write_text(CONFIG.replace("= 60", "= 61"), "utf-8"),
        "password": (data / "first-password").unlink,
        "certificate": (data / "page.crt").unlink,
        "accounts": (data / "accounts.json").unlink,
        "restore": lambda: ((ground.boot / "restore.parkbox").write_bytes(b"x"),
                            (ground.boot / "restore-passphrase.txt").write_bytes(b"x")),
        "secret": lambda: (ground.places.secrets / "password").write_text("new"),
        "label": (ground.boot / "parkbox-label.html").unlink,
    }  # fmt: skip
    changes[what]()
    looked = loads_the_rest(monkeypatch)
    machine.boot()
    assert looked == ["whole"]


def test_a_forged_memory_does_not_write_files_for_root(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    target = machine.ground.boot.parent / "somewhere"
    known = json.loads((machine.data / QUIET).read_bytes())
    (machine.data / QUIET).write_text(json.dumps(known | {"files": {str(target): "x"}}))
    looked = loads_the_rest(monkeypatch)
    machine.boot()
    assert looked == ["whole"] and not target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="files can be given away by root alone")
def test_a_memory_of_another_user_does_not_count(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(machine.data / QUIET, 12345, 12345)
    looked = loads_the_rest(monkeypatch)
    machine.boot()
    assert looked == ["whole"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": 1}'])
def test_a_damaged_memory_is_made_anew(machine: Machine, text: str) -> None:
    (machine.data / QUIET).write_text(text)
    assert machine.boot()[0] == 0
    assert json.loads((machine.data / QUIET).read_bytes())["key"]

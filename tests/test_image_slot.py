"""The slot program as RAUC and the initramfs call it, and what the firmware would start next, all through an update."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SLOT = Path(__file__).resolve().parent.parent / "image/files/usr/lib/parkbox/slot"


class Card:
    """autoboot.txt as a firmware reads it: by its section [all] and the number in it."""

    def __init__(self, folder: Path) -> None:
        self.file, self.current = folder / "autoboot.txt", folder / "parkbox-slot"
        self.put(2, 2)

    def put(self, boot: int, good: int) -> None:
        text = f"[all]\nboot_partition={boot}\n#good={good}\n"
        self.file.write_text(text + "#" * (511 - len(text)) + "\n", "ascii")

    def slot(self, *words: str, fails: bool = False) -> str:
        environment = {**os.environ, "PARKBOX_AUTOBOOT": str(self.file), "PARKBOX_CURRENT": str(self.current)}
        done = subprocess.run(["sh", SLOT, *words], capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout.strip() or done.stderr.strip()

    def next_start(self) -> int:
        text = self.file.read_text("ascii")
        assert len(text) == 512, "one sector, always"
        found = re.fullmatch(r"\[all\]\nboot_partition=([23])\n(#.*\n)+", text)
        assert found is not None, text
        return int(found[1])

    def start(self) -> int:
        """What a reset or a power cut does; the partition that runs then."""
        running = self.next_start()
        self.current.unlink(missing_ok=True)
        self.slot("started")
        assert self.current.read_text("ascii").strip() == str(running)
        return running


@pytest.fixture
def card(tmp_path: Path) -> Card:
    made = Card(tmp_path)
    made.start()
    return made


def install(card: Card, name: str) -> None:
    """What RAUC asks for, in its order."""
    card.slot("set-state", name, "bad")
    card.slot("set-primary", name)


def test_a_settled_card_starts_the_same_slot_for_ever(card: Card) -> None:
    assert [card.start() for _ in range(3)] == [2, 2, 2]
    assert card.slot("get-primary") == card.slot("get-current") == "A"
    assert (card.slot("get-state", "A"), card.slot("get-state", "B")) == ("good", "bad")
    card.slot("trial", fails=True)


def test_a_trial_that_nobody_confirms_is_one_start_long(card: Card) -> None:
    install(card, "B")
    assert card.slot("get-primary") == "B"
    assert card.start() == 3
    card.slot("trial")
    assert card.next_start() == 2, "settled before anything of the new system runs"
    assert [card.start(), card.start()] == [2, 2]


def test_a_confirmed_trial_stays_and_the_way_back_is_the_same(card: Card) -> None:
    install(card, "B")
    card.start()
    card.slot("set-state", "B", "good")
    card.slot("trial", fails=True)
    assert [card.start(), card.start()] == [3, 3]
    install(card, "A")
    assert card.start() == 2
    assert card.start() == 3, "not confirmed"
    install(card, "A")
    card.start()
    card.slot("set-state", "A", "good")
    assert card.start() == 2


def test_a_cut_while_the_other_slot_is_written_starts_the_old_one(card: Card) -> None:
    install(card, "B")
    card.slot("set-state", "B", "bad")  # a second bundle over one that waits for its start
    assert card.start() == 2


def test_the_only_good_system_is_not_written_over(card: Card) -> None:
    install(card, "B")
    card.start()
    assert "A" in card.slot("set-state", "A", "bad", fails=True)
    assert card.start() == 2


def test_nobody_can_vouch_for_a_slot_that_does_not_run(card: Card) -> None:
    card.slot("set-state", "B", "good")
    assert card.start() == 2


@pytest.mark.parametrize(
    "words", [("set-primary", "C"), ("get-state", ""), ("set-state", "A", "maybe"), (), ("started?",)], ids=str
)
def test_wrong_words_change_nothing(card: Card, words: tuple[str, ...]) -> None:
    before = card.file.read_bytes()
    assert card.slot(*words, fails=True).startswith("slot: ")
    assert card.file.read_bytes() == before


@pytest.mark.parametrize("text", ["", "[all]\nboot_partition=4\n", "[all]\n"], ids=["empty", "four", "none"])
def test_an_unreadable_file_is_said(card: Card, text: str) -> None:
    card.file.write_text(text, "ascii")
    assert "boot_partition" in card.slot("started", fails=True)


def test_a_file_without_the_good_slots_line_is_settled(card: Card) -> None:
    """As a technician's editor may leave it."""
    card.file.write_text("[all]\nboot_partition=3\n", "ascii")
    card.slot("started")
    card.slot("trial", fails=True)


@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not here (Debian: busybox)")
def test_the_initramfs_shell_does_the_same(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.put(3, 2)
    environment = {"PATH": "", "PARKBOX_AUTOBOOT": str(card.file), "PARKBOX_CURRENT": str(card.current)}
    subprocess.run([str(shutil.which("busybox")), "sh", str(SLOT), "started"], check=True, env=environment)
    assert card.next_start() == 2
    assert card.current.read_text("ascii") == "3\n"

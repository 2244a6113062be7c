"""First boot: what a card becomes, twice the same, cut off anywhere, and told what is wrong with it."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge.box.boot_files import BootWishes, carry_out
from edge.box.first_boot import Ground
from edge.web.accounts import Accounts
from tests.boot_tools import CONFIG, COST, NETWORK, SECRETS, SERIAL, Forker, boot, card, write_kit


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    made = Forker()
    yield made
    made.close()


def no_mount(_boot: Path, _how: str) -> None:
    """The test's boot partition is a folder."""


def password_of(ground: Ground) -> str:
    return (ground.places.data / "first-password").read_text().split()[1]


def assert_whole(ground: Ground) -> None:
    """Everything that a box needs, of the right mode, and fitting together."""
    data, places = ground.places.data, ground.places
    assert places.config.read_text("utf-8") == CONFIG
    assert {path.name: path.read_text() for path in places.secrets.iterdir()} == SECRETS
    for name in ("accounts.json", "first-password", "evidence.key", "page.key"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name
    accounts = Accounts(data, lambda: 0, COST)
    assert accounts.open() == ("", None)  # nothing was made anew: the password on the label is the one in force
    assert accounts.check("admin", password_of(ground)) is not None
    network = ground.networkd.read_text()
    assert "Address=192.168.1.50/24" in network and "Gateway=192.168.1.1" in network and "DHCP" not in network
    assert not list(data.glob("*.new"))


def test_a_new_card_becomes_a_box(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot / "parkbox" / SERIAL)
    code, said = boot(ground)
    assert code == 0
    assert_whole(ground)
    words = "\n".join(said)
    assert password_of(ground) in words and "https://192.168.1.50:8443/" in words and "QD-000101" in words


def test_the_second_boot_changes_nothing(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot)
    boot(ground)
    carry_out(ground.run, ground.boot, no_mount)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    code, _ = boot(ground)
    assert code == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not list(ground.run.glob("*.json"))  # the boot partition need not be mounted for writing


def test_cut_off_before_every_write_it_ends_right(forker: Forker, tmp_path: Path) -> None:
    kills = 0
    for number in range(1, 200):
        ground = card(tmp_path / str(number))
        write_kit(ground.boot / "parkbox" / SERIAL)
        if not forker.killed(number, "boot", tmp_path / str(number)):
            break
        kills += 1
        code, _ = boot(ground)
        assert code == 0
        assert_whole(ground)
    assert kills > 20, "the list of writes ended too early to have been all"


def test_two_cuts_in_a_row(forker: Forker, tmp_path: Path) -> None:
    """The second boot is cut off, too, at another place."""
    for number in range(2, 60, 5):
        ground = card(tmp_path / str(number))
        write_kit(ground.boot)
        forker.killed(number, "boot", tmp_path / str(number))
        forker.killed(number // 2, "boot", tmp_path / str(number))
        assert boot(ground)[0] == 0
        assert_whole(ground)


def test_the_label_has_address_serial_and_password_until_it_is_changed(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot)
    boot(ground)
    carry_out(ground.run, ground.boot, no_mount)
    password, label = password_of(ground), (ground.boot / "parkbox-label.html").read_text("utf-8")
    assert password in label and SERIAL in label and "https://192.168.1.50:8443/" in label and "<svg" in label
    fingerprint = re.search(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", label)
    assert fingerprint is not None
    accounts = Accounts(ground.places.data, lambda: 0, COST)
    accounts.open()
    admin = accounts.find("admin")
    assert admin is not None
    accounts.change_password(admin, "A-better-0ne")
    _, said = boot(ground)
    carry_out(ground.run, ground.boot, no_mount)
    assert password not in (ground.boot / "parkbox-label.html").read_text("utf-8")
    assert password not in (ground.places.data / "label.html").read_text("utf-8")
    assert "first login" not in "\n".join(said)


def test_secrets_do_not_stay_on_the_open_partition(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot / "parkbox" / SERIAL)
    write_kit(ground.boot / "parkbox" / "another")
    boot(ground)
    carry_out(ground.run, ground.boot, no_mount)
    assert not list((ground.boot / "parkbox" / SERIAL / "parkbox-secrets").iterdir())
    assert len(list((ground.boot / "parkbox" / "another" / "parkbox-secrets").iterdir())) == 2


def test_a_wrong_configuration_is_told_whole_and_not_taken(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot, CONFIG.replace("open_pin = 17", "open_pin = 99"), 'adress = "1"')
    code, said = boot(ground)
    carry_out(ground.run, ground.boot, no_mount)
    told = (ground.boot / "parkbox-error.txt").read_text("utf-8")
    assert code == 1
    assert not ground.places.config.exists()
    for words in ("open_pin", "99", "2..27", "parkbox-network.toml: adress", "address"):
        assert words in told and words in "\n".join(said)
    assert (ground.places.data / "accounts.json").exists()  # what does not depend on it is made
    assert "DHCP=ipv4" in ground.networkd.read_text()
    write_kit(ground.boot)
    assert boot(ground)[0] == 0
    carry_out(ground.run, ground.boot, no_mount)
    assert_whole(ground)
    assert not (ground.boot / "parkbox-error.txt").exists()


def test_a_box_is_not_configured_for_a_folder_elsewhere(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot, CONFIG.replace("/var/lib/parkbox", "/srv/parkbox"))
    code, said = boot(ground)
    assert code == 1
    assert "box.data_dir" in "\n".join(said) and not ground.places.config.exists()


def test_what_the_page_changed_is_not_undone_by_an_old_file(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot)
    boot(ground)
    changed = CONFIG.replace("total_stalls = 60", "total_stalls = 61")
    ground.places.config.write_text(changed, "utf-8")
    boot(ground)
    assert ground.places.config.read_text("utf-8") == changed
    newer = CONFIG.replace("total_stalls = 60", "total_stalls = 62")
    write_kit(ground.boot, newer, NETWORK.replace(".50/", ".51/"))
    boot(ground)
    assert ground.places.config.read_text("utf-8") == newer
    assert ground.places.config.with_name("box.toml.previous").read_text("utf-8") == changed
    assert "192.168.1.51/24" in ground.networkd.read_text()


def test_a_wrong_network_file_leaves_the_last_right_one(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot)
    boot(ground)
    (ground.boot / "parkbox-network.toml").write_text(NETWORK.replace("192.168.1.1", "10.0.0.1"))
    code, said = boot(ground)
    assert code == 1 and "gateway = 10.0.0.1" in "\n".join(said)
    assert "Address=192.168.1.50/24" in ground.networkd.read_text()


def test_the_card_of_another_box_is_not_taken(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot / "parkbox" / "somebody-else")
    code, said = boot(ground)
    assert code == 1
    assert f"parkbox/{SERIAL}" in "\n".join(said) and not ground.places.config.exists()


def test_clock_servers_are_told_to_chrony(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot, network=NETWORK + 'ntp = ["ntp.aliyun.com", "192.168.1.1"]\n')
    boot(ground)
    assert ground.chrony.read_text() == "server ntp.aliyun.com iburst\nserver 192.168.1.1 iburst\n"


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "config.txt", "parkbox/x/parkbox.toml"])
@pytest.mark.parametrize("how", ["write", "remove"])
def test_the_writing_step_writes_its_own_files_only(tmp_path: Path, name: str, how: str) -> None:
    ground = card(tmp_path)
    wishes = BootWishes(write={name: "x"}) if how == "write" else BootWishes(remove=(name,))
    (ground.run / "boot-files.json").write_bytes(msgspec.json.encode(wishes))
    with pytest.raises(ValueError, match="不允许"):
        carry_out(ground.run, ground.boot, no_mount)


def test_the_partition_is_closed_again_when_writing_fails(tmp_path: Path) -> None:
    ground = card(tmp_path)
    write_kit(ground.boot)
    boot(ground)
    (ground.boot / "parkbox-label.html").mkdir()
    seen: list[str] = []
    with pytest.raises(OSError, match="label"):
        carry_out(ground.run, ground.boot, lambda _boot, how: seen.append(how))
    assert seen == ["rw", "ro"]
    assert json.loads((ground.run / "boot-files.json").read_bytes())["write"]

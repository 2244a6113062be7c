"""A batch of boxes: right ones become folders that a box takes as they are; every error of all of them is told with
line and column, and then nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.config.durable import write_private
from tests.boot_tools import CONFIG, SECRETS, boot, card

TEMPLATE = CONFIG.replace('"QD-000101"', '"{{box_id}}"').replace('"示例停车场"', '"{{ lot }}"').replace(
    "total_stalls = 60", "total_stalls = {{stalls}}"
)
HEAD = "serial,box_id,lot,stalls,address,gateway,dns\n"
GOOD = HEAD + (
    "10000000abcdef01,QD-000101,东门停车场,60,192.168.1.51/24,192.168.1.1,223.5.5.5 1.2.4.8\n"
    "10000000abcdef02,QD-000102,\"西门, 二层\",80,192.168.1.52/24,192.168.1.1,\n"
)


class Desk:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.out = folder / "out"
        (folder / "secrets").mkdir()
        for name, text in SECRETS.items():
            (folder / "secrets" / name).write_text(text)

    def provision(self, boxes: str | bytes, template: str = TEMPLATE) -> tuple[int, str]:
        data = boxes.encode() if isinstance(boxes, str) else boxes
        (self.folder / "boxes.csv").write_bytes(data)
        (self.folder / "box.toml").write_text(template, "utf-8")
        code = main(["provision", str(self.folder / "boxes.csv"), str(self.folder / "box.toml"), str(self.out),
                     "--secrets", str(self.folder / "secrets")])  # fmt: skip
        return code, self._capsys.readouterr().err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_each_box_has_its_folder_and_takes_it(desk: Desk, tmp_path: Path) -> None:
    assert desk.provision(GOOD) == (0, "")
    assert sorted(path.name for path in (desk.out / "parkbox").iterdir()) == ["10000000abcdef01", "10000000abcdef02"]
    ground = card(tmp_path / "box")
    (desk.out / "parkbox").rename(ground.boot / "parkbox")
    code, said = boot(ground)
    assert code == 0, said
    config = ground.places.config.read_text("utf-8")
    assert 'id = "QD-000101"' in config and "东门停车场" in config and "total_stalls = 60" in config
    network = ground.networkd.read_text()
    assert "192.168.1.51/24" in network and "DNS=223.5.5.5" in network and "DNS=1.2.4.8" in network
    label = (ground.boot / "parkbox" / "10000000abcdef02" / "label.html").read_text("utf-8")
    assert "https://192.168.1.52:8443/" in label and "西门, 二层" in label and "10000000abcdef02" in label


def test_a_spreadsheet_saved_in_chinese(desk: Desk) -> None:
    assert desk.provision(GOOD.replace("\n", "\r\n").encode("gb18030"))[0] == 0
    config = (desk.out / "parkbox" / "10000000abcdef01" / "parkbox.toml").read_text("utf-8")
    assert "东门停车场" in config


def test_secrets_of_one_box_go_before_those_of_all(desk: Desk) -> None:
    own = desk.folder / "secrets" / "10000000abcdef02"
    own.mkdir()
    (own / "password").write_text("its own")
    assert desk.provision(GOOD)[0] == 0
    folders = [desk.out / "parkbox" / f"10000000abcdef0{n}" / "parkbox-secrets" for n in (1, 2)]
    found = [(folder / "password").read_text() for folder in folders]
    assert found == [SECRETS["password"], "its own"]


def test_a_serial_s_secrets_are_found_whatever_its_case(desk: Desk) -> None:
    own = desk.folder / "secrets" / "10000000ABCDEF02"
    own.mkdir()
    (own / "password").write_text("its own")
    assert desk.provision(GOOD.replace("abcdef02", "AbCdEf02"))[0] == 0
    assert (desk.out / "parkbox/10000000abcdef02/parkbox-secrets/password").read_text() == "its own"


def test_secrets_that_no_box_would_get_are_named(desk: Desk) -> None:
    secrets = desk.folder / "secrets"
    for name in ("10000000abcdef03", "10000000abcdef02", "10000000ABCDEF02", ".cache"):
        (secrets / name).mkdir()
    own = secrets / "10000000ABCDEF02"
    (own / "more").mkdir()
    (own / "PASSWORD").write_text("which?")
    (secrets / "gone").symlink_to(secrets / "no such file")
    code, said = desk.provision(GOOD)
    assert code == 2 and not desk.out.exists()
    for words in (
        f"{secrets}: 10000000abcdef03: 列表中没有", f"{secrets}: 10000000abcdef02: 与 10000000ABCDEF02 是同一",
        f"{own}: more: 无法读取", f"{own}: PASSWORD: 与 password 只有大小写不同", f"{secrets}: gone: 无法读取",
    ):  # fmt: skip
        assert words in said, said
    assert ".cache" not in said


def test_every_error_of_every_line(desk: Desk) -> None:
    boxes = GOOD + (
        "10000000abcdef02,QD 103,南门,0,192.168.1.53,192.168.1.1,\n"  # twice, an id with a space, no stall, no prefix
        "bad serial,QD-000104,北门,9,192.168.1.51/24,10.0.0.1,\n"
        "10000000abcdef05,QD-000105,北门,9\n"
    )
    code, said = desk.provision(boxes)
    assert code == 2
    assert not desk.out.exists()
    for words in ("boxes.csv:4:1: 10000000abcdef02", "boxes.csv:5:1:", "boxes.csv:6:"):
        assert words in said
    assert "5 处" not in said


def test_errors_of_the_configurations_stand_at_their_cells(desk: Desk) -> None:
    boxes = HEAD + (
        "01,QD 103,南门,0,192.168.1.53,192.168.1.1,\n"
        "02,QD-000104,北门,9,192.168.1.54/24,10.0.0.1,dns.example\n"
        "03,QD-000104,北门,many,192.168.1.54/24,192.168.1.1,\n"
    )
    code, said = desk.provision(boxes)
    assert code == 2
    assert not desk.out.exists()
    for words in (
        "boxes.csv:2:2: box.id = 'QD 103'",
        "boxes.csv:2:4: lot.total_stalls = 0",
        "boxes.csv:2:5: parkbox-network.toml: address = 192.168.1.53",
        "boxes.csv:3:6: parkbox-network.toml: gateway = 10.0.0.1",
        "boxes.csv:3:7: parkbox-network.toml: dns[0] = dns.example",
        "boxes.csv:4:4: 'many'",
    ):
        assert words in said, said


def test_two_boxes_of_one_id_or_address(desk: Desk) -> None:
    boxes = HEAD + "01,QD-1,门,9,192.168.1.54/24,,\n02,QD-1,门,9,192.168.1.55/24,,\n03,QD-3,门,9,192.168.1.54/24,,\n"
    code, said = desk.provision(boxes)
    assert code == 2
    assert "boxes.csv:3:2: box.id QD-1" in said and "boxes.csv:4:5: address 192.168.1.54" in said


def test_a_mistake_of_the_template_is_said_once(desk: Desk) -> None:
    code, said = desk.provision(GOOD, TEMPLATE.replace("open_pin = 17", "open_pin = 99"))
    assert code == 2
    assert said.count("open_pin = 99") == 1 and "box.toml" in said


def test_places_and_columns_must_meet(desk: Desk) -> None:
    code, said = desk.provision(GOOD.replace("stalls", "stals"))
    assert code == 2
    assert "boxes.csv:1:4: stals" in said and "box.toml:" in said and "{{stalls}}" in said


def test_a_value_cannot_write_settings(desk: Desk) -> None:
    code, said = desk.provision(GOOD.replace("东门停车场", '"门""\nadmit = ""list"'))
    assert code == 2 and "boxes.csv:2:3" in said  # a line end
    assert desk.provision(GOOD.replace("东门停车场", r'"门"" \ x"'))[0] == 0
    config = (desk.out / "parkbox" / "10000000abcdef01" / "parkbox.toml").read_text("utf-8")
    assert r'name = "门\" \\ x"' in config


@pytest.mark.parametrize("quotes", ["'", "'''"])
def test_a_value_does_not_stand_where_a_quote_would_end_its_text(desk: Desk, quotes: str) -> None:
    comment = "# it's the \"box's\n"  # in which quotes mean nothing
    template = comment + TEMPLATE.replace('"{{box_id}}"', f"{quotes}{{{{box_id}}}}{quotes}")
    code, said = desk.provision(GOOD.replace("QD-000101", "QD1' #"), template)
    assert code == 2 and not desk.out.exists()
    line = 1 + template[: template.index(f"{quotes}{{{{")].count("\n")
    assert f"box.toml:{line}:{6 + len(quotes)}: {{{{box_id}}}}: 须放在双引号内" in said
    assert said.count("双引号") == 1


def test_a_folder_that_exists_is_left_alone(desk: Desk) -> None:
    desk.out.mkdir()
    code, said = desk.provision(GOOD)
    assert code == 2 and "exists already" in said and list(desk.out.iterdir()) == []


@pytest.mark.parametrize("end", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_could_not_be_written_whole_leaves_no_secrets_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    def until_the_second_label(path: Path, content: bytes) -> None:
        if path.name == "label.html" and path.parent.name == "10000000abcdef02":
            raise end
        write_private(path, content)

    monkeypatch.setattr("edge.box.provision.write_private", until_the_second_label)
    before = sorted(desk.folder.iterdir())
    if isinstance(end, OSError):
        code, said = desk.provision(GOOD)
        assert code == 1 and f"{desk.out}: 无法写入" in said and "No space left" in said
    else:
        with pytest.raises(KeyboardInterrupt):
            desk.provision(GOOD)
    assert sorted(path for path in desk.folder.iterdir() if path.suffix not in (".csv", ".toml")) == before


@pytest.mark.parametrize(
    ("boxes", "said"),
    [("", "column names"), (HEAD, "column names"), ('serial\n"unended', "CSV"), (b"serial\n\xff\xff\xff\n", "UTF-8"),
     ("name\nx\n", "serial"), ("serial,serial\n1,2\n", "twice"), ("serial,Box Id\n1,2\n", "small letters"),
     ("serial;box_id\n1;2\n", "between commas, not ';'"), ("serial\tbox_id\n1\t2\n", r"not '\t'"),
     ("serial，box_id\n1，2\n", "须以英文逗号分隔, 现为 '，'")],
)  # fmt: skip
def test_no_list_at_all(desk: Desk, boxes: str | bytes, said: str) -> None:
    code, words = desk.provision(boxes)
    assert code == 2 and said in words


def test_secrets_that_are_not_there(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.provision(GOOD)
    words = ["provision", str(desk.folder / "boxes.csv"), str(desk.folder / "box.toml"), str(desk.folder / "out2")]
    assert main([*words, "--secrets", str(desk.folder / "nope")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert not (desk.folder / "out2").exists()

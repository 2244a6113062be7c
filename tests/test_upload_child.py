"""Alibaba's own client in its child process against the simulated storage: what each answer means."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.evidence.child import ChildDiedError, ChildUnusableError
from edge.evidence.upload_jobs import Put, judge
from edge.evidence.uploads import UploadChild
from hal_sim.oss import Keys, Rules
from hal_sim.qingdao import Kind
from tests.oss_tools import KEYS, PROJECT, key, picture, plain, storage
from tests.tls_certs import Authority


@pytest.fixture(scope="module")
def child() -> Iterator[UploadChild]:
    made = UploadChild()
    yield made
    made.end()


def put(folder: Path, endpoint: str, keys: Keys = KEYS, data: bytes = b"", **changes: object) -> Put:
    """A job whose files are there."""
    (folder / "1.jpg").write_bytes(data or picture())
    for name, text in (("id", keys.key_id), ("secret", keys.secret), ("token", keys.token)):
        (folder / name).write_text(text + "\n", encoding="utf-8")
    job = {
        "path": str(folder / "1.jpg"), "key": key(), "endpoint": endpoint, "region": "cn-qingdao",
        "bucket": "park-pictures", "signature": "v4", "address": "virtual", "acl": "public-read-write",
        "key_id_file": str(folder / "id"), "key_secret_file": str(folder / "secret"),
        "token_file": str(folder / "token") if keys.token else "", "ca_file": "", "timeout_s": 5.0,
    }  # fmt: skip
    return Put(**{**job, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("signature", "token"), [("v4", ""), ("v4", "CAIStoken/with+signs=="), ("v1", "")])
def test_the_storage_takes_the_picture_byte_by_byte_under_its_key(
    child: UploadChild, tmp_path: Path, signature: str, token: str
) -> None:
    keys = Keys(KEYS.key_id, KEYS.secret, token)
    with storage(Rules(PROJECT, signatures=(signature,)), keys) as (oss, endpoint):
        job = put(tmp_path, endpoint, keys, signature=signature)
        assert judge(child.put(job)).meaning == "stored"
        assert oss.objects() == {key(): picture()}
        assert judge(child.put(job)).meaning == "stored"
        assert (oss.summary().pictures, oss.summary().repeats, oss.summary().changed) == (1, 1, 0)


def test_new_keys_need_no_restart(child: UploadChild, tmp_path: Path) -> None:
    with storage(keys=Keys("LTAInew", "new")) as (oss, endpoint):
        job = put(tmp_path, endpoint)
        judged = judge(child.put(job))
        assert (judged.meaning, judged.rests, judged.ours) == ("link", True, True)
        assert "InvalidAccessKeyId" in judged.en
        assert judge(child.put(put(tmp_path, endpoint, Keys("LTAInew", "new")))).meaning == "stored"
        assert len(oss.objects()) == 1


@pytest.mark.parametrize(
    ("changes", "rules", "says"),
    [
        ({"bucket": "another"}, Rules(PROJECT), "NoSuchBucket"),
        ({"region": "cn-beijing"}, Rules(PROJECT), "region"),
        ({"signature": "v1"}, Rules(PROJECT, signatures=("v4",)), "AccessDenied"),
    ],
)
def test_what_is_wrong_with_our_account_blames_no_picture(
    child: UploadChild, tmp_path: Path, changes: dict[str, object], rules: Rules, says: str
) -> None:
    with storage(rules) as (oss, endpoint):
        judged = judge(child.put(put(tmp_path, endpoint, KEYS, b"", **changes)))
        assert (judged.meaning, judged.rests, judged.ours) == ("link", True, True)
        assert says in judged.en
        assert oss.objects() == {}


@pytest.mark.parametrize("shift_s", [-1000.0, 1000.0])
def test_a_clock_that_is_off_is_our_fault(child: UploadChild, tmp_path: Path, shift_s: float) -> None:
    with storage(shift_s=shift_s) as (_, endpoint):
        judged = judge(child.put(put(tmp_path, endpoint)))
        assert (judged.meaning, judged.ours) == ("link", True)
        assert "RequestTimeTooSkewed" in judged.en


@pytest.mark.parametrize(
    ("acl", "taken"), [("public-read-write", True), ("private", False), ("default", False)]
)
def test_the_access_is_what_the_config_says(child: UploadChild, tmp_path: Path, acl: str, taken: bool) -> None:
    with storage() as (oss, endpoint):
        judged = judge(child.put(put(tmp_path, endpoint, acl=acl)))
        assert judged.meaning == ("stored" if taken else "refused")
        assert len(oss.objects()) == taken
        assert bool(oss.summary().refused) is not taken


def test_a_picture_that_breaks_a_rule_is_refused_and_not_tried_again(child: UploadChild, tmp_path: Path) -> None:
    with storage() as (oss, endpoint):
        judged = judge(child.put(put(tmp_path, endpoint, data=plain())))
        assert (judged.meaning, judged.rests) == ("refused", False)
        assert "seals: 0" in oss.summary().refused[0]


@pytest.mark.parametrize(
    ("kind", "meaning", "there"),
    [
        ("http_500", "retry", 0),
        ("refuse", "retry", 0),
        ("drop_answer", "retry", 1),
        ("cut_off", "retry", 1),
        ("garbage", "link", 1),
        ("hang", "retry", 0),
    ],
)
def test_weather(child: UploadChild, tmp_path: Path, kind: Kind, meaning: str, there: int) -> None:
    with storage() as (oss, endpoint):
        oss.weather.set(kind)
        job = put(tmp_path, endpoint, timeout_s=0.5 if kind == "hang" else 5.0)
        judged = judge(child.put(job))
        assert (judged.meaning, judged.rests) == (meaning, True)
        oss.weather.clear()
        assert judge(child.put(put(tmp_path, endpoint))).meaning == "stored"
        assert (oss.summary().pictures, oss.summary().changed) == (1, 0)
        assert oss.summary().repeats >= there


def test_nobody_listens_and_no_file(child: UploadChild, tmp_path: Path) -> None:
    job = put(tmp_path, "http://127.0.0.1:1")
    assert (judge(child.put(job)).meaning, judge(child.put(job)).ours) == ("link", False)
    assert judge(child.put(put(tmp_path, "http://127.0.0.1:1", path=str(tmp_path / "none.jpg")))).meaning == "gone"
    os.truncate(tmp_path / "secret", 0)
    judged = judge(child.put(job))
    assert (judged.meaning, judged.ours) == ("link", True)
    assert "secret: is empty" in judged.en
    (tmp_path / "id").unlink()
    assert "No such file" in judge(child.put(job)).en


def test_a_secret_is_in_no_answer(child: UploadChild, tmp_path: Path) -> None:
    with storage(keys=Keys(KEYS.key_id, "other")) as (_, endpoint):
        outcome = child.put(put(tmp_path, endpoint))
        assert outcome.code == "SignatureDoesNotMatch"
        assert KEYS.secret not in str(outcome)


class Broken(UploadChild):
    def __init__(self, code: str) -> None:
        super().__init__()
        self._command = [sys.executable, "-c", code]


def test_a_child_that_never_comes_up_is_no_pictures_fault_and_one_that_dies_may_be(tmp_path: Path) -> None:
    job = put(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(ChildUnusableError, match="status 3"):
        Broken("raise SystemExit(3)").put(job)
    dying = Broken("import sys; sys.stdout.buffer.write(bytes(4)); sys.stdout.flush(); sys.stdin.buffer.read(4)")
    with pytest.raises(ChildDiedError, match="status 0"):
        dying.put(job)
    assert dying.pid is None
    aborted = UploadChild()
    aborted.abort()
    with pytest.raises(ChildUnusableError, match="ending"):
        aborted.put(job)


def served(folder: Path, authority: Authority, hosts: tuple[str, ...] = ("127.0.0.1",)) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("storage", hosts))
    return context


def test_a_private_clouds_own_authority_is_believed_and_no_other(child: UploadChild, tmp_path: Path) -> None:
    own, another = Authority(tmp_path, "Own CA"), Authority(tmp_path, "Another CA")
    with storage(tls=served(tmp_path, own)) as (oss, endpoint):
        assert endpoint.startswith("https://")
        for believed in (str(another.file), ""):  # "": the public ones
            judged = judge(child.put(put(tmp_path, endpoint, ca_file=believed)))
            assert (judged.meaning, judged.rests, judged.ours) == ("link", True, True)
            assert "证书不被认可" in judged.zh
            assert "ca_file" in judged.zh
            assert "certificate of OSS is not believed" in judged.en
            assert "issuer" in judged.en  # OpenSSL's own word for what is missing
        assert oss.summary().requests == 0  # nothing was said to a stranger
        assert judge(child.put(put(tmp_path, endpoint, ca_file=str(own.file)))).meaning == "stored"
        assert oss.objects() == {key(): picture()}


def test_a_certificate_for_another_name_is_refused(child: UploadChild, tmp_path: Path) -> None:
    own = Authority(tmp_path, "Own CA")
    with storage(tls=served(tmp_path, own, ("oss.example",))) as (oss, endpoint):
        judged = judge(child.put(put(tmp_path, endpoint, ca_file=str(own.file))))
        assert (judged.meaning, judged.ours) == ("link", True)
        assert "127.0.0.1" in judged.en
        assert oss.summary().requests == 0

"""`parkbox verify FILE... [--key PUB]`: whether evidence pictures are as a box wrote them, on any computer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edge.config.arguments import Arguments
from edge.evidence.chain import Break, Link, breaks
from edge.evidence.keys import KeyFileError, fingerprint, load_public
from edge.evidence.seal import Verdict, judge

STATES = {
    "untouched": ("未改动", "untouched"),
    "picture_changed": ("图片被改动", "picture changed"),
    "data_changed": ("封签数据被改动", "data changed"),
    "foreign_key": ("不是此密钥所签", "foreign key"),
    "no_seal": ("没有封签", "no seal"),
}
FLAGS = {
    "small": "小于 1280x720 smaller than 1280x720",
    "colours": "不是 24 位彩色 not 24-bit colour",
    "turned": "方向旋转 turned",
    "truncated": "原图不完整 the camera's picture was cut off",
    "large_file": "原图过大 the camera's file was too large",
    "sealed": "原图带有封签 came with a seal",
    "scaled_up": "已放大 scaled up",
    "halved": "已缩小一半 scaled to half",
    "filled": "已补足 20 KB filled up to 20 KB",
    "over_limit": "超过 500 KB over 500 KB",
}
KINDS = (".jpg", ".jpeg")
UNREADABLE: dict[type[OSError], tuple[str, str]] = {
    FileNotFoundError: ("没有此文件", "no such file"),
    PermissionError: ("无权读取", "may not be read"),
}


class NothingError(Exception):
    """Nothing to judge: why, Chinese first."""


def main(arguments: Sequence[str]) -> int:
    """0: all untouched and no gap; 1: not so; 2: could not be judged."""
    parser = Arguments("parkbox verify", description="检验证据图片 judge evidence pictures")
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="图片或文件夹 pictures or folders of them")
    parser.add_argument("--key", type=Path, help="盒子的公钥 the box's public key (evidence.pub)")
    chosen = parser.parse_args(arguments)
    try:
        key = load_public(chosen.key) if chosen.key else None
        files, folders = _files(chosen.paths)
        links = [Link(path, judge(_bytes(path), key)) for path in files]
    except (OSError, KeyFileError, NothingError) as error:
        print(_why(error), file=sys.stderr)
        return 2
    for link in links:
        _show(link, brief=folders)
    found = breaks(links) if folders else []
    for one in found:
        print(_say(one))
    good = sum(link.verdict.state == "untouched" for link in links)
    if folders or len(links) > 1:
        gaps = sum(one.kind != "begins" for one in found)
        print(f"共 {len(links)} 张, 未改动 {good}, 断链 {gaps}")
        print(f"{len(links)} pictures, {good} untouched, {gaps} breaks of the chain")
    if key is None and good:
        print("未给公钥 --key: 只证明封签后未改, 不证明是哪个盒子")
        print("without --key: unchanged since it was sealed; by whom is not judged")
    return 0 if good == len(links) and all(one.kind == "begins" for one in found) else 1


def _files(paths: Sequence[Path]) -> tuple[list[Path], bool]:
    """Raises `NothingError`: of no picture nothing can be said, least of all that it is untouched."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix.lower() in KINDS and one.is_file())
            if not found:
                raise NothingError(f"{path}: 文件夹中没有图片 ({', '.join(KINDS)}) / no pictures in this folder")
            files += found
        else:
            files.append(path)
    return files, any(path.is_dir() for path in paths)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        error.filename = str(path)  # a card that fails while it is read names no file
        raise


def _why(error: Exception) -> str:
    """Chinese first, also for what the system says in English only."""
    if not isinstance(error, OSError):
        return str(error)
    zh, en = UNREADABLE.get(type(error), ("无法读取", "cannot be read"))
    return f"{error.filename}: {zh} / {en} ({error.strerror})"


def _show(link: Link, brief: bool) -> None:
    verdict = link.verdict
    zh, en = STATES[verdict.state]
    print(f"{link.path}: {zh} {en}{', 图片也不符 and the picture does not fit' if verdict.also_picture else ''}")
    if not brief or verdict.state != "untouched":
        _say_claim(verdict)


def _say_claim(verdict: Verdict) -> None:
    claim = verdict.claim
    if claim is None:
        return
    trust = "" if verdict.state in ("untouched", "picture_changed") else " (不可信 not to be trusted)"
    way = {"in": "入场 in", "out": "出场 out"}.get(claim.direction, claim.direction)
    rows = [
        ("时间 taken", claim.taken),
        ("地点 place", f"{claim.lot} / {claim.lane} / {way}"),
        ("设备 device", f"{claim.device}, 盒子 box {claim.box}"),
        ("车牌 plate", claim.plate or "无牌 none"),
        ("防伪码 code", claim.code),
        ("记录 record", claim.record_id),
        ("链 chain", f"第 {claim.chain} 张 no. {claim.chain} of its lane"),
        ("密钥 key", fingerprint(verdict.key)),
    ]
    if claim.flags:
        rows.append(("备注 notes", "; ".join(FLAGS.get(flag, flag) for flag in claim.flags)))
    for name, value in rows:
        print(f"  {name}: {value}{trust}")


def _say(one: Break) -> str:
    where = f"车道 lane {one.lane}"
    match one.kind:
        case "gap":
            between = f"{one.before} .. {one.after}"
            return f"{where}: 缺 {one.missing} 张 | {one.missing} missing between {between}"
        case "unlinked":
            return f"{where}: 前后不相连 | does not follow the one before: {one.before} .. {one.after}"
        case "double":
            return f"{where}: 两张同号 | two of one number: {one.before}, {one.after}"
        case "begins":
            gone = f"{one.missing} before the oldest are gone (by age, or taken)"
            return f"{where}: 最早一张之前有 {one.missing} 张已不在 (到期删除或被取走) | {gone}"

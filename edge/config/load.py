"""Read a configuration once, completely: TOML, declared types and ranges, rules between settings, then frozen."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from edge.config.base import Section
from edge.config.issues import ConfigError, ConfigIssue
from edge.config.model import Camera, Config
from edge.config.rules import judge
from edge.config.secrets import CREDENTIAL, credentials_folder
from edge.config.walk import walk

__all__ = ["ConfigError", "ConfigIssue", "load"]

SomeSection = TypeVar("SomeSection", bound=Section)

SIZE_LIMIT_BYTES = 1_000_000
"""Four lanes with every comment take 10 KB; a list of plates some more."""


def load(path: Path) -> Config:
    """The configuration at `path`. Raises `ConfigError` with every issue; nothing was started by then."""
    raw = _parse(path)
    issues = walk(raw, _declared(), "")
    if issues:
        raise ConfigError(issues)
    config = _resolve(msgspec.convert(raw, Config), path.resolve().parent)
    issues = judge(config)
    if issues:
        raise ConfigError(issues)
    return config


@cache
def _declared() -> inspect.Type:
    """Of the whole model, once: it takes longer than to judge a configuration by it."""
    return inspect.type_info(Config)


def _parse(path: Path) -> dict[str, Any]:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES + 1)  # a device or pipe tells no size
        if len(data) > SIZE_LIMIT_BYTES:
            issue = ConfigIssue(name, "", f"最多 {SIZE_LIMIT_BYTES} 字节", f"at most {SIZE_LIMIT_BYTES} bytes")
            raise ConfigError([issue])
        return tomllib.loads(data.decode("utf-8-sig"))  # Windows' editors put a mark in front
    except OSError as error:
        issue = ConfigIssue(name, "", f"无法读取: {error.strerror}", f"cannot be read: {error}")
    except UnicodeDecodeError as error:
        issue = ConfigIssue(name, f"byte {error.start}", "须为 UTF-8", "must be UTF-8")
    except ValueError as error:  # TOMLDecodeError, and a number of more digits than Python reads
        from edge.config.toml_words import toml_zh  # noqa: PLC0415 - its patterns cost a start that has no mistake

        issue = ConfigIssue(name, "", toml_zh(error), f"TOML syntax: {error}")
    except RecursionError:
        issue = ConfigIssue(name, "", "嵌套过深", "nested too deeply")
    raise ConfigError([issue])


def _resolve(config: Config, folder: Path) -> Config:
    """Relative paths are relative to the configuration file, wherever the program was started."""

    def absolute(text: str) -> str:
        if text.startswith(CREDENTIAL):
            return str(credentials_folder() / text.removeprefix(CREDENTIAL))
        return str(folder / text)

    box = msgspec.structs.replace(
        config.box, data_dir=absolute(config.box.data_dir), socket=absolute(config.box.socket)
    )
    city = config.city
    if city.qingdao is not None:
        qingdao = _files(city.qingdao, absolute)
        if qingdao.oss is not None:
            qingdao = msgspec.structs.replace(qingdao, oss=_files(qingdao.oss, absolute))
        if qingdao.mqtt is not None:
            qingdao = msgspec.structs.replace(qingdao, mqtt=_files(qingdao.mqtt, absolute))
        city = msgspec.structs.replace(city, qingdao=qingdao)
    if city.shenzhen is not None:
        shenzhen = _files(city.shenzhen, absolute)
        callback = shenzhen.callback and _files(shenzhen.callback, absolute)
        shenzhen = msgspec.structs.replace(shenzhen, site=_files(shenzhen.site, absolute), callback=callback)
        city = msgspec.structs.replace(city, shenzhen=shenzhen)
    lanes = tuple(
        msgspec.structs.replace(lane, camera=tuple(_camera(camera, absolute) for camera in lane.camera))
        for lane in config.lane
    )
    backup = config.backup and _files(config.backup, absolute)
    if backup is not None and backup.folder:
        backup = msgspec.structs.replace(backup, folder=absolute(backup.folder))
    web = _files(config.web, absolute)
    return msgspec.structs.replace(config, box=box, city=city, web=web, lane=lanes, backup=backup)


def _camera(camera: Camera, absolute: Callable[[str], str]) -> Camera:
    client = camera.client
    return camera if client is None else msgspec.structs.replace(camera, client=_files(client, absolute))


def _files(section: SomeSection, absolute: Callable[[str], str]) -> SomeSection:
    """Every `..._file` of the section that names one, made absolute."""
    names = [name for name in section.__struct_fields__ if name.endswith("_file") and getattr(section, name)]
    return msgspec.structs.replace(section, **{name: absolute(getattr(section, name)) for name in names})

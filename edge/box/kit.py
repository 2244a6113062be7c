"""What one box gets on its boot partition: `parkbox.toml`, perhaps `parkbox-network.toml`, perhaps `parkbox-secrets/`.

A kit lies at the top of the boot partition, or in `parkbox/<serial>/` when one card writes many boxes. It is judged by
the same code as `parkbox check`, in a folder of its own whose files have the modes that they will have in the box:
a FAT partition knows none.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edge.config.durable import write_private
from edge.config.issues import ConfigError, ConfigIssue
from edge.config.load import SIZE_LIMIT_BYTES, load
from edge.config.model import Config
from edge.config.network import NETWORK_FILE, Network, read_network

CONFIG_FILE = "parkbox.toml"
SECRETS_FOLDER = "parkbox-secrets"
BOXES_FOLDER = "parkbox"
SECRET_PREFIX = "secrets_"
"""What systemd makes of `/etc/parkbox/secrets/NAME` (edge/config/secrets.py)."""
SECRETS_MAX = 50
SECRET_LIMIT_BYTES = 100_000
"""A chain of certificates takes 10 KB."""

BOX_DATA = "/var/lib/parkbox"
BOX_RUN = "/run/parkbox/"
"""Where the units of a box may write (systemd/*.service); a configuration of elsewhere would not start there."""


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """The files as they were found; None: not there."""

    config: bytes | None = None
    network: bytes | None = None
    secrets: dict[str, bytes] = {}


class Judged(msgspec.Struct, frozen=True):
    config: Config | None
    network: Network | None
    issues: tuple[ConfigIssue, ...]


def read_kit(folder: Path) -> Kit:
    """Raises `ConfigError` for what cannot be read, is too large or too much."""
    issues: list[ConfigIssue] = []
    secrets = {}
    names = sorted(path.name for path in (folder / SECRETS_FOLDER).glob("*") if path.is_file())
    for name in names[:SECRETS_MAX]:
        text = _read(folder / SECRETS_FOLDER / name, SECRET_LIMIT_BYTES, issues)
        if text is not None and not name.startswith("."):  # a Mac leaves files of its own
            secrets[name] = text
    if len(names) > SECRETS_MAX:
        found = f"{len(names)} 个文件 files"
        issues.append(ConfigIssue(SECRETS_FOLDER, found, f"最多 {SECRETS_MAX} 个", f"at most {SECRETS_MAX}"))
    config = _read(folder / CONFIG_FILE, SIZE_LIMIT_BYTES, issues)
    network = _read(folder / NETWORK_FILE, SIZE_LIMIT_BYTES, issues)
    if issues:
        raise ConfigError(issues)
    return Kit(config=config, network=network, secrets=secrets)


def _read(path: Path, most_bytes: int, issues: list[ConfigIssue]) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        issues.append(ConfigIssue(path.name, "", f"无法读取: {error.strerror}", f"cannot be read: {error}"))
        return None
    if len(data) > most_bytes:
        issues.append(ConfigIssue(path.name, "", f"最多 {most_bytes} 字节", f"at most {most_bytes} bytes"))
    return data


def judge_kit(kit: Kit, *, on_a_box: bool = True) -> Judged:
    """Everything that is wrong with it, as `parkbox check` would say on the box, and what only a box demands."""
    issues: list[ConfigIssue] = []
    network = None
    if kit.network is not None:
        try:
            network = read_network(kit.network)
        except ConfigError as error:
            issues += error.issues
    config = None
    if kit.config is not None:
        with tempfile.TemporaryDirectory() as scratch, as_credentials(Path(scratch), kit.secrets):
            path = Path(scratch) / CONFIG_FILE
            write_private(path, kit.config)
            try:
                config = load(path)
            except ConfigError as error:
                # Whoever prepares cards need not have the box's folders.
                here = [one for one in error.issues if (one.path, one.value) != ("box.data_dir", BOX_DATA)]
                issues += [_plain(issue, scratch) for issue in here]
        if config is not None and on_a_box:
            issues += _on_a_box(config)
    return Judged(config, network, tuple(issues))


@contextmanager
def as_credentials(folder: Path, secrets: dict[str, bytes]) -> Iterator[None]:
    """`credential:secrets_NAME` is found in `folder` meanwhile."""
    for name, text in secrets.items():
        write_private(folder / f"{SECRET_PREFIX}{name}", text)
    before = os.environ.get("CREDENTIALS_DIRECTORY")
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CREDENTIALS_DIRECTORY"]
        else:
            os.environ["CREDENTIALS_DIRECTORY"] = before


def _plain(issue: ConfigIssue, scratch: str) -> ConfigIssue:
    """Nobody knows the folder in which it was judged."""

    def named(text: str) -> str:
        return text.replace(f"{scratch}/{SECRET_PREFIX}", f"{SECRETS_FOLDER}/").replace(f"{scratch}/", "")

    return ConfigIssue(named(issue.path), named(issue.value), named(issue.zh), named(issue.en))


def _on_a_box(config: Config) -> Iterator[ConfigIssue]:
    if config.box.data_dir != BOX_DATA:
        yield ConfigIssue("box.data_dir", config.box.data_dir, f"在盒子上须为 {BOX_DATA}",
                          f"must be {BOX_DATA} on a box")  # fmt: skip
    if not config.box.socket.startswith(BOX_RUN):
        yield ConfigIssue("box.socket", config.box.socket, f"在盒子上须在 {BOX_RUN} 下",
                          f"must be below {BOX_RUN} on a box")  # fmt: skip

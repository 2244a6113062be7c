"""What the agent loads at its start and keeps for months: nothing large that only a question or a child needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

SEEN = "import sys, edge.agent.program; print(' '.join(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return set(subprocess.run([sys.executable, "-c", SEEN], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    "name",
    [
        "charset_normalizer", "cv2", "numpy", "cryptography", "alibabacloud_oss_v2", "Crypto",  # children, Shenzhen
        "tarfile", "html.entities", "difflib",  # a bundle, a report, a spelling mistake
        "edge.core.money", "edge.core.flow", "edge.core.lane",  # the lane program's
    ],
)  # fmt: skip
def test_it_is_not_loaded(loaded: set[str], name: str) -> None:
    assert name not in loaded


def test_requests_is_whole_all_the_same_and_its_guesser_can_be_loaded_later() -> None:
    later = (
        "import sys, edge.cities.http, requests, charset_normalizer\n"
        "answer = requests.Response(); answer._content = '车'.encode(); answer.status_code = 200\n"
        "print(answer.text == '车', 'charset_normalizer' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", later]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.stdout.split(), ended.stderr) == (["True", "True"], "")

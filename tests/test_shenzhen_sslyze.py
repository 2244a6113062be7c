"""sslyze judges the callback server by Mozilla's "intermediate" rules. `make tls` gets it, apart from our packages.

Without it `test_shenzhen_callback` still shows with the openssl command that no weak protocol or cipher is spoken.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.callback_rig import Rig

ROOT = Path(__file__).resolve().parent.parent
SSLYZE = shutil.which("sslyze", path=str(ROOT / ".venv-judges" / "bin")) or shutil.which("sslyze")

WEAK = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")


@pytest.mark.skipif(SSLYZE is None, reason="no sslyze here: make tls")
def test_sslyze_finds_nothing_weak(tmp_path: Path) -> None:
    assert SSLYZE is not None
    rig = Rig(tmp_path, slow_s=10.0)
    report = tmp_path / "report.json"
    command = [SSLYZE, "--mozilla_config=intermediate", f"--certinfo_ca_file={rig.authority.file}",
               f"--json_out={report}", f"127.0.0.1:{rig.server.port}"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        rig.server.stop()
    assert "OK - Compliant" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    (result,) = json.loads(report.read_text())["server_scan_results"]
    found = result["scan_result"]
    for protocol in WEAK:
        assert found[f"{protocol}_cipher_suites"]["result"]["accepted_cipher_suites"] == [], protocol
    assert found["tls_1_2_cipher_suites"]["result"]["accepted_cipher_suites"]
    assert rig.failed == []

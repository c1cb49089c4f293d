"""The fault drill, as anybody runs it."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

from salesnb.report import workers


@pytest.mark.skipif(not workers.CAN_FORK or sys.platform != "linux", reason="sets limits as Linux")
def test_every_report_is_accounted_for():
    command = [sys.executable, ROOT / "benchmarks" / "fault_drill.py", "--quick"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| yes |") == 8

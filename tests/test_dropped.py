"""Signals that come while a callback runs whose exceptions Python drops."""

import pytest
from watching import start

SCRIPT = """
import os, signal, time

class Last:
    def __del__(self):
        if not os.path.exists("sent"):
            open("sent", "w").close()
            os.kill(os.getpid(), signal.{name})

def answer(item):
    Last()
    time.sleep(0.3)
    return item
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_program_ends_all_the_same(tmp_path, name, code):
    (tmp_path / "script.py").write_text(SCRIPT.format(name=name))
    (tmp_path / "items.txt").write_text("1\n" * 100)
    arguments = ("race", "--function", "./script.py:answer", "--items", "items.txt", "--rounds", "1")
    process = start("-m", "primerace", *arguments, "--racers", "sequential", cwd=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert (tmp_path / "sent").exists()
    assert "Traceback" not in errors
    assert "ignored" not in errors

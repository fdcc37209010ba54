"""The command line in a process of its own, as a user has it."""

import subprocess
import sys


def primerace(
    *arguments: str, text: str | None = None, **options: object
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end; whatever happens, a traceback is a failure."""
    done = subprocess.run(
        [sys.executable, "-m", "primerace", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )
    assert "Traceback" not in done.stderr
    return done

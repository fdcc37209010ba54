"""Builds of primerace to compare: the working tree or a revision, as a wheel in an environment of its own."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = "gevent,joblib,dask,celery,rq,web"  # what racers need


def leave_tidily() -> None:
    """Let SIGTERM end this program as an exception does, so that no folder and no process is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def run(*command: str | Path, cwd: Path | None = None) -> bytes:
    """What a command prints.

    Raises:
        ClickException: it failed; the message is the end of what it said.
    """
    done = subprocess.run(command, capture_output=True, check=False, cwd=cwd)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise click.ClickException(f"{' '.join(map(str, command))} failed:\n{said[-2000:]}")
    return done.stdout


def export_revision(revision: str, folder: Path) -> None:
    """The files of a revision."""
    commit = run("git", "rev-parse", "--verify", f"{revision}^{{commit}}", cwd=ROOT).decode().strip()
    archive = folder.with_suffix(".tar")
    run("git", "archive", f"--output={archive}", commit, cwd=ROOT)
    shutil.unpack_archive(archive, folder, filter="data")


def export_working_tree(folder: Path) -> None:
    """The files of the working tree, uncommitted ones too, without those that git ignores."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def built(folder: Path, export: Callable[[Path], None]) -> Path:
    """The Python of a fresh environment with the wheel of what is exported; both are in the folder."""
    source, environment, wheels = folder / "source", folder / "venv", folder / "wheels"
    source.mkdir(parents=True)
    export(source)
    run(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}", source)
    (wheel,) = wheels.glob("*.whl")
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[{EXTRAS}]")
    return python

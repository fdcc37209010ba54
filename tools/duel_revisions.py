"""Is the working tree slower than a revision? Every benchmark as a duel of the two: `make duel BASE=main~1`.

Both are built as wheels into environments of their own, in a temporary folder. The list of benchmarks is that
of the working tree; what the revision does not have is told as not here. A job that is slower is fought once
more with fresh trials, and that verdict counts: of 80 jobs one may look slower by chance, hardly the same one
twice. Exits with 1 where something is slower by more than the threshold.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import jobs

from primerace.cli import options
from primerace.duel import Contender, Duel, DuelError, Task
from primerace.duel.verdict import THRESHOLD
from primerace.report.duel import print_duel

ROOT = Path(__file__).resolve().parents[1]
RACERS = "gevent,joblib,dask,celery,rq,web"  # the extras that racers need


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
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[{RACERS}]")
    return python


def chosen(pattern: str) -> list[Task]:
    """The benchmarks whose names fit."""
    found = [task for tasks in jobs.tasks().values() for task in tasks if fnmatch(task.name, pattern)]
    if not found:
        raise click.BadParameter(f"{pattern!r} fits no benchmark; try 'fast/*', 'size/*' or 'dispatch/*'")
    return found


def introduce(duel: Duel) -> None:
    """Have each job done once by both sides."""
    with click.progressbar(
        duel.introduce(), length=len(duel.scores), label="first trials", file=sys.stderr
    ) as bar:
        for _ in bar:
            pass


def fight(duel: Duel, seconds: float, label: str) -> None:
    """Run a duel behind a progress bar."""
    with click.progressbar(length=len(duel.scores), label=label, file=sys.stderr) as bar:
        for _ in duel.run(seconds=seconds):
            over = sum(bool(score.settled or score.missing or score.failed) for score in duel.scores)
            bar.update(over - bar.pos)


def fight_again(duel: Duel, seconds: float) -> None:
    """Fight once more for what is slower, and let the second scores take the place of the first ones."""
    slower = [score for score in duel.scores if score.alarms(duel.threshold) and not score.failed]
    if slower:
        rematch = duel.rematch(slower)
        fight(rematch, seconds, "slower, once more")
        second = {score.task.name: score for score in rematch.scores}
        duel.scores = [second.get(score.task.name, score) for score in duel.scores]


@click.command()
@click.argument("base", default="main~1")
@click.option("--jobs", "pattern", default="*", help="Only benchmarks whose names fit, such as 'avx2/*'.")
@click.option("--seconds", default=15.0, show_default=True, help="For each benchmark.")
@click.option(
    "--threshold", callback=options.share, default=str(THRESHOLD), help="Slower by this much matters."
)
@click.option("--json", "json_file", metavar="FILE", help="Write every trial and verdict.")
def main(base: str, pattern: str, seconds: float, threshold: float, json_file: str | None) -> None:
    """Build both, fight, print one table."""
    leave_tidily()
    tasks = chosen(pattern)
    options.check_writable("--json", json_file)
    with TemporaryDirectory(prefix="primerace-duel-") as folder:
        click.echo(f"building {base} …", err=True)
        a = Contender(base, str(built(Path(folder, "a"), lambda source: export_revision(base, source))))
        click.echo("building the working tree …", err=True)
        b = Contender("working tree", str(built(Path(folder, "b"), export_working_tree)))
        try:
            duel = Duel(a, b, tasks, threshold)
            introduce(duel)
            fight(duel, seconds, "settled")
            fight_again(duel, seconds)
        except DuelError as error:
            raise click.ClickException(str(error)) from None
    print_duel(duel, options.console())
    options.write("--json", json_file, json.dumps(duel.to_json(), indent=1) + "\n")
    sys.exit(int(any(score.alarms(threshold) for score in duel.scores)))


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)  # it is for this program, not for the Pythons that it starts
    main()

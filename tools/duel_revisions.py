"""Is the working tree slower than a revision? Every benchmark as a duel of the two: `make duel BASE=main~1`.

Both are built as wheels into environments of their own, in a temporary folder. The list of benchmarks is that
of the working tree; what the revision does not have is told as not here. A job that is slower is fought once
more with fresh trials, and that verdict counts: of 80 jobs one may look slower by chance, hardly the same one
twice. Exits with 1 where something is slower by more than the threshold.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import choosing
import click
from builds import built, export_revision, export_working_tree, leave_tidily

from primerace.cli import options
from primerace.duel import Contender, Duel, DuelError, Task
from primerace.duel.verdict import THRESHOLD
from primerace.report.duel import print_duel


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
@choosing.jobs
@click.option("--seconds", default=15.0, show_default=True, help="For each benchmark.")
@click.option(
    "--threshold", callback=options.share, default=str(THRESHOLD), help="Slower by this much matters."
)
@click.option("--json", "json_file", metavar="FILE", help="Write every trial and verdict.")
def main(base: str, tasks: list[Task], seconds: float, threshold: float, json_file: str | None) -> None:
    """Build both, fight, print one table."""
    leave_tidily()
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

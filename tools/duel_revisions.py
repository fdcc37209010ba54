"""Is the working tree slower than a revision? Every benchmark as a duel of the two: `make duel BASE=main~1`.

Both are built as wheels into environments of their own, in a temporary folder. The list of benchmarks is that
of the working tree; what the revision does not have is told as not here. A job that is slower is fought once
more with fresh trials: of 80 jobs one may look slower by chance, hardly the same one twice. That verdict
counts if there is one: where the rematch is too noisy or fails, slower remains slower.

Exits with 1 where something failed or is slower by more than the threshold, with 2 where there is no duel, as
for an unknown revision or a build that fails, and with 130 where it is interrupted.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import choosing
import click
from builds import built, export_revision, export_working_tree, leave_tidily

from primerace.cli import options
from primerace.cli.options import InputError
from primerace.duel import Contender, Duel, DuelError, Score, Task
from primerace.duel.verdict import FASTER, SAME, SLOWER, THRESHOLD
from primerace.exits import FAILED, GOOD, INTERRUPTED
from primerace.report.duel import print_duel, row, times


def hold(base: str, tasks: Sequence[Task], threshold: float, seconds: float) -> tuple[Duel, Duel]:
    """Build both sides and fight; the duel, and the rematch of what was slower in it."""
    with TemporaryDirectory(prefix="primerace-duel-") as folder:
        click.echo(f"building {base} …", err=True)
        a = Contender(base, str(built(Path(folder, "a"), lambda source: export_revision(base, source))))
        click.echo("building the working tree …", err=True)
        b = Contender("working tree", str(built(Path(folder, "b"), export_working_tree)))
        duel = Duel(a, b, tasks, threshold)
        introduce(duel)
        fight(duel, seconds, "settled")
        again = duel.rematch([score for score in duel.scores if score.alarms(threshold) and not score.failed])
        if again.scores:
            fight(again, seconds, "slower, once more")
        return duel, again


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


def is_judged(score: Score, threshold: float) -> bool:
    """Whether a rematch has told anything."""
    return score.verdict(threshold) in (SLOWER, FASTER, SAME)


def counting(duel: Duel, again: Duel) -> list[Score]:
    """The scores that count: the first ones, but where the rematch has told anything."""
    second = {score.task.name: score for score in again.scores if is_judged(score, duel.threshold)}
    return [second.get(score.task.name, score) for score in duel.scores]


def told_twice(duel: Duel, again: Duel) -> Iterator[str]:
    """Both verdicts of each job that was fought twice."""
    first = {score.task.name: score for score in duel.scores}
    for score in again.scores:
        name, threshold = score.task.name, duel.threshold
        end = "" if is_judged(score, threshold) else ": slower remains slower"
        yield f"{name}: first {found(first[name], threshold)}, then {found(score, threshold)}{end}"


def found(score: Score, threshold: float) -> str:
    """A verdict with its ratio, or with what went wrong."""
    why = times(score.ratio) if score.ratio else score.failed or score.missing
    return f"{row(score, threshold)[1]} ({why})"


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
    try:
        duel, again = hold(base, tasks, threshold, seconds)
    except KeyboardInterrupt:
        click.echo("interrupted" + (f": --json {json_file} is not written" if json_file else ""), err=True)
        sys.exit(INTERRUPTED)
    except (click.ClickException, DuelError, OSError) as error:
        raise InputError(str(error)) from None
    result = duel.to_json() | ({"rematch": again.to_json()} if again.scores else {})
    lines = list(told_twice(duel, again))
    duel.scores = counting(duel, again)
    console = options.console(stderr=json_file == "-")
    print_duel(duel, console)
    for line in lines:
        console.print(line, markup=False, emoji=False)
    options.write("--json", json_file, json.dumps(result, indent=1) + "\n")
    sys.exit(FAILED if any(score.alarms(threshold) for score in duel.scores) else GOOD)


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)  # it is for this program, not for the Pythons that it starts
    main()

"""How often a duel alarms for nothing, and how often it finds a slowdown of 3%: 45 minutes, by hand.

A build duels against one whose kernel `released` divides 3% more often: 18 of 20 duels have to find that. Of
as many duels against itself on the same job one may be called slower. Then every benchmark duels against
itself, 20 times over the whole set: at most 2% of the verdicts may be 'slower'. These have the fewest pairs
that a duel can have, so that most intervals are wide; what counts is that they contain 1. Exits with 1 where
one falls short, and where nothing is shown: a duel failed, what could be here is not, or the time was up
before the last pass.
Racers that are slow to start take half of the time, and therefore have a lane of their own beside all other
jobs, which only makes both noisier.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import monotonic

import choosing
import click
import jobs
from builds import built, export_working_tree, leave_tidily

from primerace import machine
from primerace.duel import Contender, Duel, Score, Task
from primerace.duel.score import FEWEST_PAIRS
from primerace.duel.verdict import SLOWER, THRESHOLD

MOST_FALSE, FEWEST_FOUND, MOST_ALARMS = 0.02, 0.9, 0.05  # shares of the verdicts
SLOWDOWN = 0.03
SLOWED = "released/d"  # primes: trial division goes up to the root
SECONDS = 15.0  # for a duel against the slowed build

PLAIN_END = "    return finish_released(&trial)\n\n\ndef held_no_divisor"
SLOWED_END = f"""    cdef Trial again = begin_trial(trial.n)
    again.root = <uint64_t>(again.root * {SLOWDOWN})
    finish_released(&again)
{PLAIN_END}"""


def export_slowed(source: Path) -> None:
    """The working tree with a kernel `released` that divides once more by the first 3% of the divisors."""
    export_working_tree(source)
    module = source / "ext/primerace/_trial.pyx"
    text = module.read_text()
    assert text.count(PLAIN_END) == 1, "the kernel released has changed: adapt the slowdown"
    module.write_text(text.replace(PLAIN_END, SLOWED_END))


def introduced(a: Contender, b: Contender, tasks: Sequence[Task]) -> Duel:
    """A duel whose sides know what they have to do."""
    duel = Duel(a, b, tasks)
    for _ in duel.introduce():
        pass
    return duel


def fought(duel: Duel, seed: int, pairs: int | None) -> list[Score]:
    """The scores of one more duel of these sides."""
    again = duel.rematch(duel.scores, seed)
    for _ in again.run(pairs, SECONDS):
        pass
    return again.scores


class Passes:
    """Every task against itself, again and again, until it is enough or the time is up."""

    def __init__(self, side: Contender, passes: int, deadline: float) -> None:
        self.side, self.passes, self.deadline = side, passes, deadline
        self.verdicts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.failed: list[str] = []
        self.missing: dict[str, str] = {}  # by the name of the job
        self.done: Counter[str] = Counter()  # by the first task of what was passed
        self._lock = Lock()

    def run(self, lanes: Sequence[Sequence[Task]]) -> None:
        """All passes over the tasks of each lane, side by side."""
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(self._lane, filter(None, lanes)))

    def _lane(self, tasks: Sequence[Task]) -> None:
        self.done[tasks[0].name] = 0
        duel = introduced(self.side, self.side, tasks)
        for seed in range(self.passes):
            if monotonic() < self.deadline:
                self._note(fought(duel, seed, FEWEST_PAIRS))

    def _note(self, scores: Sequence[Score]) -> None:
        with self._lock:
            first = scores[0].task.name
            self.done[first] += 1
            click.echo(f"pass {self.done[first]} of {self.passes} over {len(scores)} jobs", err=True)
            for score in scores:
                self._count(score)

    def _count(self, score: Score) -> None:
        """Count its verdict, and keep what is to be told."""
        verdict = score.verdict(THRESHOLD)
        if verdict is not None:
            self.verdicts[verdict] += 1
        elif score.missing:
            self.missing[score.task.name] = described(score)
        else:
            self.failed.append(described(score))
        if verdict == SLOWER:
            self.wrong.append(described(score))

    def is_good(self) -> bool:
        """Whether all of it was done, nothing failed, and few verdicts are wrong."""
        is_whole = bool(self.verdicts) and all(count == self.passes for count in self.done.values())
        few_wrong = self.verdicts[SLOWER] <= MOST_FALSE * self.verdicts.total()
        return is_whole and few_wrong and not (self.failed or self.lacking())

    def lacking(self) -> set[str]:
        """The jobs that are not here and could be."""
        return self.missing.keys() - jobs.OF_NEWER_PYTHONS

    def report(self) -> Iterator[str]:
        """What came of it, line by line."""
        for start, count in self.done.items():
            end = "" if count == self.passes else ": incomplete"
            yield f"{count} of {self.passes} passes over the jobs from {start} on{end}"
        total = self.verdicts.total()
        for verdict, count in self.verdicts.most_common():
            yield f"against itself, {verdict}: {count} of {total} ({count / total:.1%})"
        if not total:
            yield "against itself: no verdict at all"
        yield from (f"  slower by chance: {line}" for line in self.wrong)
        yield from (f"  failed: {line}" for line in dict.fromkeys(self.failed))
        for name, line in self.missing.items():
            why = ", so that this was not the whole set" if name in self.lacking() else ""
            yield f"  not here{why}: {line}"


def is_slower(score: Score) -> bool:
    """The verdict that is false in a duel against itself, and right against the slowed build."""
    return score.verdict(THRESHOLD) == SLOWER


def described(score: Score) -> str:
    """What was found, in a line."""
    ratio = score.ratio
    if ratio is None:
        return f"{score.task.name}: {score.failed or score.missing or 'no verdict'}"
    return f"{score.task.name} {ratio.value:.3f} [{ratio.low:.3f}–{ratio.high:.3f}]"


def alarms(side: Contender, other: Contender, task: Task, duels: int) -> int:
    """How many duels, each with as many pairs as it needs, call the other side slower."""
    duel, count = introduced(side, other, [task]), 0
    for seed in range(duels):
        (score,) = fought(duel, seed, None)
        count += is_slower(score)
        click.echo(f"duel {seed + 1} of {duels}: {described(score)}", err=True)
    return count


@click.command()
@click.option("--passes", type=click.IntRange(1), default=20, show_default=True, help="Over the whole set.")
@click.option(
    "--duels", type=click.IntRange(1), default=20, show_default=True, help="Against the slowed kernel."
)
@click.option("--minutes", default=45.0, show_default=True, help="After which no further pass begins.")
@choosing.jobs
def main(passes: int, duels: int, minutes: float, tasks: list[Task]) -> None:
    """Run both campaigns and print their figures."""
    leave_tidily()
    deadline = monotonic() + 60 * minutes
    facts = machine.describe()
    print(
        f"{facts['cpu']}, {facts['cores']} cores, CPython {facts['python']}, {facts['measured']}", flush=True
    )
    side = Contender("A", sys.executable)
    groups = jobs.tasks()
    task = next(task for task in groups["kernel released"] if task.name == SLOWED)
    with TemporaryDirectory(prefix="primerace-quality-") as folder:
        click.echo("building the slowed kernel …", err=True)
        slowed = Contender("slowed", str(built(Path(folder, "b"), export_slowed)))
        hits = alarms(side, slowed, task, duels)
    print(f"{SLOWED}, {SLOWDOWN:.0%} slower: found in {hits} of {duels} duels", flush=True)
    false = alarms(side, side, task, duels)
    print(f"{SLOWED} against itself: slower in {false} of {duels} duels", flush=True)
    campaign = Passes(side, passes, deadline)
    slow = {task.name for task in groups["dispatch, slow to start"]}
    campaign.run([[task for task in tasks if (task.name in slow) == is_slow] for is_slow in (False, True)])
    for line in campaign.report():
        print(line)
    is_good = campaign.is_good() and hits >= FEWEST_FOUND * duels and false <= MOST_ALARMS * duels
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()

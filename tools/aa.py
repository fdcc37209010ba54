"""How often a race alarms for nothing, and how often it finds a slowdown of 5%: about 20 minutes, by hand.

Three campaigns of 50 races on the sample quick: a contestant against itself with fixed rounds, the same with
--precision, and a contestant against one that was slowed down on purpose. The first two should not alarm in
more than 5 races, the third should find the slowdown in at least 45. Exits with 1 where one falls short.
"""

import sys
from collections.abc import Callable
from time import perf_counter

import click

from primerace import machine
from primerace.job import Job
from primerace.kernels import KERNELS, released
from primerace.laps import AGAIN, Key
from primerace.lineup import line_up
from primerace.racing import Race
from primerace.stats import Ratio
from primerace.summary import Summary

SLOWDOWN = 0.05
PLAIN: Key = ("sequential", "released", 1)
TWIN: Key = ("sequential" + AGAIN, "released", 1)
SLOWED: Key = ("sequential", "slowed", 1)


def slowed(n: int) -> bool:
    """The kernel released, and then its own time once more by the slowdown."""
    started = perf_counter()
    answer = released(n)
    until = perf_counter() + SLOWDOWN * (perf_counter() - started)
    while perf_counter() < until:
        pass
    return answer


def against_itself(seed: int, **limits: float) -> Ratio:
    """One A/A race."""
    return _ratio(Race(JOB, line_up(JOB, ["sequential"], ["released"], twins=True), seed), TWIN, limits)


def against_slowed(seed: int, **limits: float) -> Ratio:
    """One race against the slowed kernel."""
    return _ratio(Race(JOB, line_up(JOB, ["sequential"], ["released", "slowed"]), seed), SLOWED, limits)


def _ratio(contest: Race, rival: Key, limits: dict[str, float]) -> Ratio:
    contest.warm_up()
    laps = list(contest.run(**limits))
    ratio = Summary(laps, contest.disqualified, contest.sequence, contest.seed).ratio(rival, PLAIN)
    assert ratio is not None
    return ratio


def differs(ratio: Ratio) -> bool:
    """A false alarm, where a contestant races against itself."""
    return ratio.shows_gain or ratio.shows_loss


def slower(ratio: Ratio) -> bool:
    """The slowed contestant took longer, and the interval shows it."""
    return ratio.shows_gain


def alarms(name: str, races: int, hold: Callable[[int], Ratio], counts: Callable[[Ratio], bool]) -> int:
    """Hold the races and count the intervals that alarm."""
    ratios = []
    with click.progressbar(range(races), label=name, file=sys.stderr) as seeds:
        for seed in seeds:
            ratios.append(hold(seed))
    count = sum(map(counts, ratios))
    reach = sorted(ratio.reach for ratio in ratios)[races // 2]
    print(f"{name}: {count} of {races} alarm; median reach of the intervals {reach:.2%}")
    return count


@click.command()
@click.option(
    "--races", type=click.IntRange(1), default=50, show_default=True, help="Races of each campaign."
)
def main(races: int) -> None:
    """Run the three campaigns and print their rates."""
    KERNELS["slowed"] = slowed
    facts = machine.describe()
    print(f"{facts['cpu']}, {facts['cores']} cores, CPython {facts['python']}, {facts['measured']}")
    fixed = alarms("A/A, 50 rounds (about 5 s)", races, lambda seed: against_itself(seed, rounds=50), differs)
    narrow = alarms(
        "A/A, --precision 2%, at most 5 s",
        races,
        lambda seed: against_itself(seed, seconds=5, precision=0.02),
        differs,
    )
    found = alarms("5% slower, 10 s", races, lambda seed: against_slowed(seed, seconds=10), slower)
    sys.exit(0 if max(fixed, narrow) <= 0.1 * races and found >= 0.9 * races else 1)


JOB = Job.sample("quick")

if __name__ == "__main__":
    main()

"""Why a racer has the speed-up that it has: a product of factors, each measured on its own.

    speed-up = schedule bound x hardware x waiting x overhead x what remains unexplained

Each factor compares two makespans of list scheduling, for the same order and the same number of workers,
so that what happens to an item counts as much as its place in the schedule lets it count:

- schedule bound: one worker against the makespan of the sequential wall times. What the order allows.
- hardware: sequential processor times against the processor times in this lap. Caches, clocks, shared cores.
- waiting: processor times in this lap against wall times in this lap, compared with the same quotient of
  the sequential lap. Who waits for the GIL burns no processor time: two threads that hold it have about 0.5.
- overhead: the lap without the time of an empty run of the same crew, against the whole lap. Handing out
  and collecting, measured alone.

The rest is what the four leave unexplained; it is printed as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from statistics import median

from primerace.laps import Lap
from primerace.schedule import makespan


@dataclass(frozen=True, slots=True)
class Explanation:
    """The factors of one contestant's speed-up: medians over rounds, 1.0 where nothing is lost.

    Args:
        speedup: sequential seconds against the contestant's.
        schedule: what list scheduling allows.
        hardware: what is left of the processor's speed.
        waiting: the share of the items' time in which they computed.
        overhead: the share of the lap that is not handing out and collecting.
        unexplained: the speed-up against the product of the factors.
    """

    speedup: float
    schedule: float
    hardware: float
    waiting: float
    overhead: float
    unexplained: float


def explain(base: Sequence[Lap], laps: Sequence[Lap], order: Sequence[int]) -> Explanation | None:
    """Take one contestant's speed-up apart.

    Args:
        base: the laps of the sequential racer with the same kernel.
        laps: the contestant's laps; those whose round has no base lap are left out.
        order: the indices of the items in the order in which they are handed out.

    Returns:
        The explanation; None where no round has both, or in most rounds the items are too short to explain:
        shorter than their clock's tick, or than what handing them out takes.
    """
    by_round = {lap.round: lap for lap in base}
    pairs = [(by_round[lap.round], lap) for lap in laps if lap.round in by_round]
    single = [_factors(sequential, lap, order) for sequential, lap in pairs]
    sound = [factors for factors in single if factors is not None]
    if 2 * len(sound) <= len(single):
        return None
    medians = [median(column) for column in zip(*sound, strict=True)]
    medians.append(medians[0] / prod(medians[1:]))
    return Explanation(*medians)


def _factors(base: Lap, lap: Lap, order: Sequence[int]) -> tuple[float, ...] | None:
    wall_alone, cpu_alone = _times(base, order)
    wall, cpu = _times(lap, order)
    ideal, ideal_cpu = makespan(wall_alone, lap.workers), makespan(cpu_alone, lap.workers)
    spent, spent_cpu = makespan(wall, lap.workers), makespan(cpu, lap.workers)
    computing = lap.seconds - lap.dispatch_seconds
    if min(ideal, ideal_cpu, spent, spent_cpu, computing) <= 0:
        return None
    speedup = base.seconds / lap.seconds
    schedule = sum(wall_alone) / ideal
    hardware = ideal_cpu / spent_cpu
    waiting = (spent_cpu / spent) / (ideal_cpu / ideal)
    overhead = computing / lap.seconds
    return speedup, schedule, hardware, waiting, overhead


def _times(lap: Lap, order: Sequence[int]) -> tuple[list[float], list[float]]:
    """Wall and processor seconds of the items, in the order in which they are handed out."""
    by_index = {outcome.index: outcome for outcome in lap.outcomes}
    outcomes = [by_index[index] for index in order]
    return [outcome.seconds for outcome in outcomes], [outcome.cpu_seconds for outcome in outcomes]

"""Who races: from the names that a user gives to contestants, or to an error that lists what there is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from primerace import machine
from primerace.job import Job
from primerace.kernels import KERNELS
from primerace.laps import AGAIN, Key
from primerace.racers import RACERS, Racer
from primerace.racers.base import OWN_ENGINES
from primerace.racers.engines import Engines


class RaceError(ValueError):
    """A race that can't be held as it was asked for."""


@dataclass(frozen=True)
class Contestant:
    """A racer with a kernel and a number of workers; `again` marks the twin in an A/A race."""

    racer: Racer
    kernel: str | None
    workers: int
    again: bool = False

    @property
    def key(self) -> Key:
        """What identifies it among the laps."""
        return self.racer.name + (AGAIN if self.again else ""), self.kernel, self.workers


@dataclass(frozen=True)
class LineUp:
    """The contestants with what was set of them, and why some racers are not among them."""

    contestants: Sequence[Contestant]
    unavailable: dict[str, str]
    start_method: str | None = None
    engines: Engines = OWN_ENGINES


def line_up(
    job: Job,
    racers: Sequence[str] | None = None,
    kernels: Sequence[str] | None = None,
    workers: int | Sequence[int] | None = None,
    start_method: str | None = None,
    twins: bool = False,
    engines: Engines = OWN_ENGINES,
) -> LineUp:
    """Every racer with every kernel that it takes and every number of workers.

    Args:
        job: what will run; a job with a function of its own has no kernels.
        racers: names; None is all.
        kernels: names; None is all.
        workers: how many workers, or several such numbers; None is the number of usable cores.
        start_method: 'fork', 'forkserver' or 'spawn'; None is Python's default.
        twins: let every contestant race against itself.
        engines: those beyond this program.

    Raises:
        RaceError: an unknown name, less than one worker, or nobody left to race.

    >>> [contestant.key for contestant in line_up(Job.sample("quick"), ["threads"], ["held"], 2).contestants]
    [('threads', 'held', 2)]
    """
    counts = [workers] if isinstance(workers, int) else list(workers or [machine.usable_cores()])
    if min(counts) < 1:
        raise RaceError(f"at least 1 worker is needed, not {min(counts)}")
    chosen: list[str | None] = list(known("kernel", kernels, KERNELS)) if job.function is None else [None]
    contestants = []
    unavailable = {}
    for name in known("racer", racers, RACERS):
        racer = RACERS[name](start_method, engines)
        if reason := unsuited(racer, chosen):
            unavailable[name] = reason
        for runner, kernel in runners(racer, chosen):
            if reason := runner.available():
                unavailable[name] = reason
                continue
            contestants += [
                Contestant(runner, kernel, count, again)
                for count in ([1] if racer.single else counts)
                for again in ([False, True] if twins else [False])
            ]
    if not contestants:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in unavailable.items())
        raise RaceError(f"none of these racers can run here: {reasons}" if reasons else "nobody to race")
    return LineUp(contestants, unavailable, start_method, engines)


def runners(racer: Racer, kernels: Sequence[str | None]) -> Iterator[tuple[Racer, str | None]]:
    """The racer as it runs each of these kernels that it takes."""
    for kernel in kernels:
        if racer.kernels is None or kernel in racer.kernels:
            yield racer.for_kernel(kernel), kernel


def unsuited(racer: Racer, kernels: Sequence[str | None]) -> str | None:
    """Why the racer can run none of these kernels, or a function of one's own; None where it can."""
    if racer.kernels is None or not racer.kernels.isdisjoint(kernels):
        return None
    return f"only with kernel {' or '.join(name for name in KERNELS if name in racer.kernels)}"


def known(what: str, names: Sequence[str] | None, table: Iterable[str]) -> list[str]:
    """These names without repeats, or all of the table where they are None.

    Raises:
        RaceError: one of them is not in the table, or there is none; the message lists what there is.
    """
    everything = list(table)
    names = [names] if isinstance(names, str) else names
    if names is None:
        return everything
    if not names:
        raise RaceError(f"no {what} is named; known are {', '.join(everything)}")
    for name in names:
        if name not in everything:
            near = get_close_matches(name, everything, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RaceError(f"there is no {what} {name!r}; known are {', '.join(everything)}{hint}")
    return list(dict.fromkeys(names))

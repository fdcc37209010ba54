"""The command that repeats a result: the same line-up, rounds, seed and order."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from primerace.job import SAMPLES
from primerace.kernels import KERNELS
from primerace.laps import AGAIN, BASELINE
from primerace.racers import RACERS
from primerace.results import RaceResult, SweepResult

FILE = "ITEMS"  # stands for the items where no name leads to them


def command(result: RaceResult) -> str:
    """The command line that runs this race or sweep again, an option a line, as a shell takes it.

    The seed repeats the order within rounds and the intervals; the seconds are the machine's own. What can't
    be named here is told by `gaps`.
    """
    options = [
        option if value is None else f"{option} {shlex.quote(value)}"
        for option, value in _options(result).items()
    ]
    return " \\\n    ".join([f"primerace {result.kind}", *options])


def gaps(result: RaceResult) -> Iterator[str]:
    """What the command does not name, in sentences."""
    if _sample(result) is None:
        yield f"{FILE} stands for a file with the items; the result file has them under job."
    if result.job["function"] is not None and result.job["expected"] is not None:
        yield "The command does not name the expected answers: they are given with --expect."


def _options(result: RaceResult) -> dict[str, str | None]:
    names = {entry.racer.removesuffix(AGAIN) for entry in result.entries} | set(result.unavailable)
    kernels = {entry.kernel for entry in result.entries if entry.kernel is not None}
    if isinstance(result, SweepResult) and len(names) > 1:
        names.discard(BASELINE)
    options: dict[str, str | None] = {"--items": _sample(result) or FILE}
    if result.job["function"] is not None:
        options["--function"] = result.job["function"]
        if result.job.get("approx"):
            options["--approx"] = str(result.job["approx"])
    options["--racers"] = ",".join(_in_order(names, RACERS))
    if kernels:
        options["--kernels"] = ",".join(_in_order(kernels, KERNELS))
    options["--workers"] = _counts(result)
    options["--rounds"] = str(result.rounds or result.job["rounds"] or 1)
    options["--seed"] = str(result.job["seed"])
    options["--order"] = result.job["order"]
    options["--start-method"] = result.machine["start_method"]
    for name, value in (result.job.get("engines") or {}).items():
        options[f"--{name.replace('_', '-')}"] = str(value)
    if any(entry.racer.endswith(AGAIN) for entry in result.entries):
        options["--aa"] = None
    if any(entry.longest_gap_seconds is not None for entry in result.entries):
        options["--heartbeat"] = None
    return options


def _sample(result: RaceResult) -> str | None:
    name = result.job["name"]
    return name if list(SAMPLES.get(name, ())) == list(result.job["items"]) else None


def _in_order(names: Iterable[str], table: Iterable[str]) -> Sequence[str]:
    """These names as the table has them, those that it does not know behind."""
    wanted = set(names)
    known = [name for name in table if name in wanted]
    return known + sorted(wanted.difference(known))


def _counts(result: RaceResult) -> str:
    """The number of workers; for a sweep all of them, as a range where they are one."""
    if not isinstance(result, SweepResult):
        return str(max((entry.workers for entry in result.entries), default=1))
    counts = sorted({entry.workers for entry in result.entries if entry.racer != BASELINE}) or [1]
    if len(counts) > 2 and counts == list(range(counts[0], counts[-1] + 1)):
        return f"{counts[0]}-{counts[-1]}"
    return ",".join(map(str, counts))

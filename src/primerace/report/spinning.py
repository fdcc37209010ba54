"""A spinner's measurement in words."""

from collections.abc import Iterator

from primerace.report.rows import duration
from primerace.spinners.observing import Spin


def sentences(seen: Spin, alone: float) -> Iterator[str]:
    """What was measured.

    Args:
        seen: the call with the spinner.
        alone: wall seconds of the same work without it.
    """
    rhythm = seen.rhythm
    yield f"{seen.model}, busy with {seen.work.busy}: frames drawn {rhythm.beats} of {rhythm.due} due"
    yield (
        f"gaps between frames: median {duration(rhythm.median_gap_seconds)}, "
        f"99% up to {duration(rhythm.p99_gap_seconds)}, longest {duration(rhythm.longest_gap_seconds)}"
    )
    yield f"the work took {duration(seen.busy_seconds)} with the spinner, {duration(alone)} without"
    yield verdict(seen)


def verdict(seen: Spin) -> str:
    """Whether it froze."""
    longest, call = duration(seen.rhythm.longest_gap_seconds), duration(seen.busy_seconds)
    if seen.frozen is None:
        return f"The call took {call}: too short to tell whether it freezes."
    if seen.frozen:
        return f"It froze: nothing moved for {longest} in a call of {call}."
    return f"It kept spinning: nothing stood still for longer than {longest} in a call of {call}."

"""What the gaps between beats say in figures: the calibration, and a reading at each switch interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from primerace.gil.pulse import Gap, Pulse

INTERVALS = 3  # switch intervals within which another thread gets the GIL where it is handed over


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the heartbeat looks like on this machine, at this moment.

    Args:
        beat_seconds: median gap beside `released`, where nothing keeps it from beating.
        released_share: share of that kernel's time during which other threads could run; ideally 1.
        held_share: the same for `held`, which is the same loop with the GIL held; ideally 0.
    """

    beat_seconds: float
    released_share: float
    held_share: float

    @classmethod
    def of(cls, released: Pulse, held: Pulse) -> "Calibration":
        """The calibration from both kernels' pulse at a switch interval that forces nobody."""
        beat = median(released.own(asking=False))
        return cls(beat, free_share(released.gaps, beat), free_share(held.gaps, beat))

    @property
    def contrast(self) -> float:
        """How well the kernels can be told apart: 1 is perfect, 0 not at all."""
        return min(self.released_share, 1 - self.held_share)


def free_share(gaps: Sequence[Gap], beat: float) -> float:
    """The share of the time during which another thread could take the GIL.

    The heart wakes at random moments. What it finds then stands for the gap that ends: the GIL was free, or
    it was kept. Only in a long gap it may have been kept since any moment of the sleep, on average for half
    of it, and for all of it where the heart never finds it free.

    Args:
        gaps: the times without a beat.
        beat: seconds from one beat to the next where nothing is in the way.

    >>> often, long = [Gap(0.001), Gap(0.001, found_kept=True)], Gap(0.0505, found_kept=True)
    >>> free_share(often, beat=0.001), free_share([*[Gap(0.001)] * 50, long], beat=0.001)
    (0.5, 0.5024)
    """
    total = sum(gap.own(asking=False) for gap in gaps)
    found = [gap.own(asking=False) for gap in gaps if gap.found_kept]
    sleep = beat / 2 * (1 - len(found) / len(gaps)) if gaps else 0.0
    kept = sum(seconds - sleep if seconds > 2 * beat else seconds for seconds in found)
    return round(1 - kept / total, 4) if total else 0.0


def turn_share(gaps: Sequence[float], limit: float) -> float:
    """The share of the time in gaps no longer than this: another thread that wants the GIL gets its turn.

    >>> turn_share([0.005, 0.015], limit=0.012)
    0.25
    """
    return round(sum(gap for gap in gaps if gap <= limit) / sum(gaps), 4) if sum(gaps) else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one switch interval showed.

    Args:
        switch_interval: seconds.
        calls: how many calls were made in a row.
        wall_seconds: what they took together.
        thread_seconds: processor time of the calling thread meanwhile.
        beats: how often the heart beat.
        longest_gap_seconds: the longest time without a beat, less what the operating system caused of it.
        delay_seconds: how long the heart or the call waited for a core in all.
        share: of the time, how much other threads could run: at the default interval, because they got their
            turn within three intervals; at the long one, because the GIL was released.
        found_kept: at how many beats the heart had to wait for the GIL.
    """

    switch_interval: float
    calls: int
    wall_seconds: float
    thread_seconds: float
    beats: int
    longest_gap_seconds: float
    delay_seconds: float
    share: float
    found_kept: int = 0

    @classmethod
    def at_default(cls, pulse: Pulse, switch_interval: float) -> "Reading":
        """The reading of a pulse at an interval at which the heart asks for the GIL."""
        gaps = pulse.own(asking=True)
        return cls._of(pulse, switch_interval, gaps, turn_share(gaps, INTERVALS * switch_interval))

    @classmethod
    def at_long(cls, pulse: Pulse, switch_interval: float, calibration: Calibration) -> "Reading":
        """The reading of a pulse at an interval at which the heart waits until the GIL is released."""
        share = free_share(pulse.gaps, calibration.beat_seconds)
        return cls._of(pulse, switch_interval, pulse.own(asking=False), share)

    @classmethod
    def _of(cls, pulse: Pulse, switch_interval: float, gaps: list[float], share: float) -> "Reading":
        delay = max(0.0, pulse.wall_seconds - sum(gaps))
        return cls(
            switch_interval,
            pulse.calls,
            pulse.wall_seconds,
            pulse.thread_seconds,
            len(gaps) - 1,
            max(gaps),
            delay,
            share,
            sum(gap.found_kept for gap in pulse.gaps),
        )

    @property
    def crowding(self) -> float:
        """The share of the wall time in which the heart or the call waited for a core."""
        return self.delay_seconds / self.wall_seconds

    @property
    def call_seconds(self) -> float:
        """Wall seconds of one call, less what the operating system caused of them."""
        return (self.wall_seconds - self.delay_seconds) / self.calls

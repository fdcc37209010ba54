"""What the gaps between beats say in figures: the calibration, and a reading at each switch interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from primerace.gil.pulse import Pulse
from primerace.heartbeat import percentile

INTERVALS = 3  # switch intervals within which another thread gets the GIL where it is handed over
JITTER = 100e-6  # seconds that a beat may be late at least


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the heartbeat looks like on this machine, at this moment.

    Args:
        beat_seconds: median gap beside `released`, where nothing keeps it from beating.
        late_seconds: what a beat may be late before something kept it from beating.
        released_share: share of that kernel's time during which other threads could run; ideally 1.
        held_share: the same for `held`, which is the same loop with the GIL held; ideally 0.
    """

    beat_seconds: float
    late_seconds: float
    released_share: float
    held_share: float

    @classmethod
    def of(cls, released: Pulse, held: Pulse) -> "Calibration":
        """The calibration from both kernels' pulse at a switch interval that forces nobody."""
        free = released.own(asking=False)
        beat = median(free)
        late = max(JITTER, percentile(free, 0.99) - beat)
        return cls(beat, late, free_share(free, beat, late), free_share(held.own(asking=False), beat, late))

    @property
    def contrast(self) -> float:
        """How well the kernels can be told apart: 1 is perfect, 0 not at all."""
        return min(self.released_share, 1 - self.held_share)


def free_share(gaps: Sequence[float], beat: float, late: float) -> float:
    """The share of the time during which another thread could take the GIL.

    Where a beat is late, the GIL was kept since some moment after the beat before: on average, half a beat.

    Args:
        gaps: seconds without a beat that the operating system did not cause.
        beat: seconds from one beat to the next where nothing is in the way.
        late: seconds that a beat may be late for no reason.

    >>> free_share([*[0.001] * 50, 0.0505], beat=0.001, late=0.0001)
    0.5025
    """
    kept = sum(gap - beat / 2 for gap in gaps if gap > beat + late)
    return round(1 - kept / sum(gaps), 4) if sum(gaps) else 0.0


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
    """

    switch_interval: float
    calls: int
    wall_seconds: float
    thread_seconds: float
    beats: int
    longest_gap_seconds: float
    delay_seconds: float
    share: float

    @classmethod
    def at_default(cls, pulse: Pulse, switch_interval: float) -> "Reading":
        """The reading of a pulse at an interval at which the heart asks for the GIL."""
        gaps = pulse.own(asking=True)
        return cls._of(pulse, switch_interval, gaps, turn_share(gaps, INTERVALS * switch_interval))

    @classmethod
    def at_long(cls, pulse: Pulse, switch_interval: float, calibration: Calibration) -> "Reading":
        """The reading of a pulse at an interval at which the heart waits until the GIL is released."""
        gaps = pulse.own(asking=False)
        share = free_share(gaps, calibration.beat_seconds, calibration.late_seconds)
        return cls._of(pulse, switch_interval, gaps, share)

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
        )

    @property
    def crowding(self) -> float:
        """The share of the wall time in which the heart or the call waited for a core."""
        return self.delay_seconds / self.wall_seconds

    @property
    def call_seconds(self) -> float:
        """Wall seconds of one call, less what the operating system caused of them."""
        return (self.wall_seconds - self.delay_seconds) / self.calls

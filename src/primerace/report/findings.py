"""What a race shows, in sentences; each only where the intervals support it."""

from collections.abc import Iterator, Sequence

from primerace.laps import AGAIN, BASELINE
from primerace.report.heading import counted
from primerace.report.rows import number, times
from primerace.results import Entry, RaceResult, SweepResult
from primerace.stats import FEWEST_ROUNDS, paired_ratio

NOISY_ABOVE = 0.05  # a baseline that differs more than that from itself is no quiet machine's


def noisy(result: RaceResult) -> dict[str, float]:
    """The baselines that differ too much from themselves."""
    return {name: spread for name, spread in result.noise.items() if spread > NOISY_ABOVE}


def findings(result: RaceResult) -> Iterator[str]:
    """Of a race a sentence for each kernel and one about the winner, of a sweep one for each curve.

    None below six rounds.
    """
    if result.rounds < FEWEST_ROUNDS:
        return
    yield from _of_sweep(result) if isinstance(result, SweepResult) else _of_race(result)


def _of_race(result: RaceResult) -> Iterator[str]:
    racing = [entry for entry in result.entries if entry.median_seconds is not None]
    twins = [entry for entry in racing if entry.racer.endswith(AGAIN)]
    if twins:
        yield from map(_about_twin, twins)
        return
    for kernel in dict.fromkeys(entry.kernel for entry in racing):
        sentence = _about_kernel(
            result, [entry for entry in racing if entry.kernel == kernel and entry.workers > 1]
        )
        if sentence:
            yield sentence
    if len(racing) > 1:
        yield _about_winner(result, racing)


def _of_sweep(result: SweepResult) -> Iterator[str]:
    """A sentence for each racer and kernel about its lowest median."""
    for curve in result.curves().values():
        best = min(curve, key=lambda entry: entry.median_seconds or 0.0)
        place = f"{best.name}: the lowest median is with {counted(best.workers, 'worker')}"
        ratio = best.speedup and best.speedup.ratio
        if ratio and ratio.shows_gain and ratio.value > 1 + _noise(result, best):
            allowed = best.schedule_bound
            limit = f", of {number(allowed)}x that this order of items allows" if allowed else ""
            yield f"{place}, {times(best.speedup)} against the sequential racer{limit}."
        else:
            yield f"{place}; no gain over the sequential racer is shown."


def _about_twin(twin: Entry) -> str:
    if twin.speedup is None:
        return f"A/A {twin.name.replace(AGAIN, '')}: its twin has no time."
    ratio = twin.speedup.ratio
    alarm = ratio.shows_gain or ratio.shows_loss
    verdict = "a false alarm" if alarm else "no difference shown, as it should be"
    return f"A/A {twin.name.replace(AGAIN, '')}: {times(twin.speedup)}: {verdict}."


def _about_kernel(result: RaceResult, entries: Sequence[Entry]) -> str | None:
    judged = [(entry, entry.speedup.ratio) for entry in entries if entry.speedup]
    noise = max((_noise(result, entry) for entry in entries), default=0.0)
    gains = [entry for entry, ratio in judged if ratio.shows_gain and ratio.value > 1 + noise]
    losses = [entry for entry, ratio in judged if ratio.shows_loss and 1 / ratio.value > 1 + noise]
    equal = [entry for entry, _ in judged if entry not in gains + losses]
    parts = []
    whole = [entry for entry in gains if entry.schedule_bound is not None]
    divided = [entry for entry in gains if entry.schedule_bound is None]
    if whole:
        limit = f"of {number(whole[0].schedule_bound or 1.0)}x that this order of items allows"
        parts.append(f"{_listed(whole)} on {whole[0].workers} workers, {limit}")
    if divided:
        parts.append(f"{_listed(divided)} on {divided[0].workers} workers that divide each item")
    if equal:
        parts.append(f"no difference shown for {_listed(equal)}")
    if losses:
        parts.append(f"slower than one worker: {_listed(losses)}")
    if not parts:
        return None
    name = entries[0].kernel
    return f"{name}: {'; '.join(parts)}." if name else f"{'; '.join(parts)}."


def _noise(result: RaceResult, entry: Entry) -> float:
    """How restless this contestant's own baseline was, where that is more than a quiet machine's."""
    return noisy(result).get(BASELINE if entry.kernel is None else f"{BASELINE}/{entry.kernel}", 0.0)


def _listed(entries: Sequence[Entry]) -> str:
    return ", ".join(f"{entry.racer} {times(entry.speedup)}" for entry in entries)


def _about_winner(result: RaceResult, racing: Sequence[Entry]) -> str:
    """The winner, or those that nothing shows to be slower than the fastest median."""
    first = racing[0]
    level = [other for other in racing[1:] if not _is_slower(result, other, first)]
    against = (
        f", {times(first.speedup_python)} against {BASELINE}/python"
        if first.speedup_python and first.speedup_python.ratio.shows_gain
        else ""
    )
    if not level:
        return f"Fastest: {first.name}{against}."
    names = ", ".join(entry.name for entry in level)
    return f"No single winner: {first.name} has the lowest median{against}, but {names} may be as fast."


def _is_slower(result: RaceResult, other: Entry, first: Entry) -> bool:
    """Beyond the interval, and beyond the noise where the machine was not quiet."""
    seconds = {entry.name: _by_round(result, entry) for entry in (other, first)}
    both = sorted(seconds[other.name].keys() & seconds[first.name].keys())
    if len(both) < FEWEST_ROUNDS:
        return False
    ratio = paired_ratio(
        [seconds[other.name][n] for n in both], [seconds[first.name][n] for n in both], result.job["seed"]
    )
    return ratio.shows_gain and ratio.value > 1 + max(_noise(result, other), _noise(result, first))


def _by_round(result: RaceResult, entry: Entry) -> dict[int, float]:
    return {lap.round: lap.seconds for lap in result.laps if lap.key == entry.key}

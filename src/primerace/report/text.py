"""Results in the terminal: a table, what has to be known beside it, and what was found."""

from collections.abc import Iterable, Iterator, Sequence
from math import inf, prod

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from primerace.laps import BASELINE, item_costs
from primerace.report import rows
from primerace.report.comparison import Comparison
from primerace.report.exports import COMPARISON_COLUMNS, comparison_row, timed
from primerace.report.findings import findings, noisy
from primerace.report.rows import duration
from primerace.results import Entry, RaceResult, SweepResult
from primerace.scaling import LAWS, Fit, break_even, cost, fit
from primerace.stats import FEWEST_ROUNDS

BAR = 24  # characters of the longest bar of a sweep


def print_race(result: RaceResult, console: Console, explain: bool = False) -> None:
    """The ranking, the notes and the findings of a race."""
    _print_heading(result, console)
    console.print(_table(rows.RACE_COLUMNS, map(rows.race_row, timed(result.entries))))
    if explain:
        console.print(_explanations(result))
        console.print(_costs(result))
    for note in notes(result):
        console.print(note)
    for finding in findings(result):
        console.print(finding, markup=False)


def _print_heading(result: RaceResult, console: Console) -> None:
    facts, job = result.machine, result.job
    gil = "" if facts["gil_enabled"] else " without GIL"
    rounds = f"{result.rounds} round{'' if result.rounds == 1 else 's'}"
    console.print(
        f"{job['name']}, {len(job['items'])} items in {job['order']} order, {rounds}; "
        f"{facts['cpu']}, {facts['cores']} cores, {facts['implementation']} {facts['python']}{gil}, "
        f"start method {facts['start_method']}",
        markup=False,
    )


def _table(columns: Sequence[str], lines: Iterable[Sequence[str]], texts: int = 2) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < texts else "right")
    for line in lines:
        table.add_row(*map(escape, line))
    return table


def notes(result: RaceResult) -> Iterator[str]:
    """Who is out and why, and what the rounds and the machine allow to say."""
    for entry in result.entries:
        if entry.disqualified is not None:
            yield f"[red]disqualified[/red] {escape(entry.name)}: {escape(entry.disqualified)}"
    for name, reason in result.unavailable.items():
        yield f"[yellow]not here[/yellow] {escape(name)}: {escape(reason)}"
    for name, spread in noisy(result).items():
        yield (
            f"[yellow]noisy[/yellow] neighbouring laps of {escape(name)} differ by {spread:.0%}: "
            "this machine was not quiet, and differences below that name no winner"
        )
    if 0 < result.rounds < FEWEST_ROUNDS:
        yield f"No intervals and no findings below {FEWEST_ROUNDS} rounds."


def _explanations(result: RaceResult) -> Table:
    """Speed-up = schedule x hardware x waiting x overhead x rest, for each contestant."""

    def lines() -> Iterator[Sequence[str]]:
        for entry in timed(result.entries):
            if entry.workers == 1:
                continue
            part = entry.explanation
            if part is None:
                yield entry.racer, entry.kernel or rows.NONE, "too short to explain", *[rows.NONE] * 5
            else:
                factors = (part.schedule, part.hardware, part.waiting, part.overhead)
                rest = f"{part.speedup / prod(factors) - 1:+.1%}"
                yield (
                    entry.racer,
                    entry.kernel or rows.NONE,
                    *map(rows.number, (part.speedup, *factors)),
                    rest,
                )

    columns = ("racer", "kernel", "speed-up =", "schedule x", "hardware x", "waiting x", "overhead", "rest")
    return _table(columns, lines())


def _costs(result: RaceResult) -> Table:
    """What each racer costs, and what it takes to beat one thread or to pay at all."""
    pickled = result.job.get("pickled_bytes") or [0]

    def lines() -> Iterator[Sequence[str]]:
        for entry in timed(result.entries):
            if entry.racer == BASELINE:
                continue
            single = _baseline(result, entry.kernel)
            items = max(1, len(result.job["items"]))
            yield (
                entry.racer,
                entry.kernel or rows.NONE,
                duration(entry.startup_seconds),
                duration(None if entry.dispatch_seconds is None else entry.dispatch_seconds / items),
                rows.size(entry.worker_bytes),
                rows.size(sum(pickled) / len(pickled)) if entry.worker_bytes else rows.NONE,
                _pays_from(entry, single),
                *(_cost_in_words(result, entry, rival) for rival in ("released", "fast")),
            )

    columns = ("racer", "kernel", "start-up", "dispatch\nper item", "memory\nper worker", "pickled\nper item")
    rivals = ("COST: beats one\nreleased thread", "COST: beats one\nfast thread")
    return _table((*columns, "pays from\na job of", *rivals), lines())


def _pays_from(entry: Entry, single: Entry | None) -> str:
    """A size only where the interval shows a gain at all, or there are too few rounds for one."""
    if single is None or single.median_seconds is None or entry.speedup is None:
        return rows.NONE
    ratio = entry.speedup.ratio
    if ratio.low is not None and not ratio.shows_gain:
        return "never" if ratio.shows_loss else "no gain shown"
    seconds = break_even(entry, single.median_seconds)
    return "never" if seconds == inf else duration(seconds)


def _baseline(result: RaceResult, kernel: str | None) -> Entry | None:
    keys = {(entry.racer, entry.kernel): entry for entry in timed(result.entries)}
    return keys.get((BASELINE, kernel))


def _cost_in_words(result: RaceResult, entry: Entry, rival: str) -> str:
    single, own = _baseline(result, rival), _baseline(result, entry.kernel)
    if single is None or single.median_seconds is None or own is None:
        return rows.NONE  # it did not race
    found = cost(entry, _costs_of(result, own), single.median_seconds, result.machine["cores"])
    if found.workers is None:
        return f"never ({found.reason})"
    mark = " (extrapolated)" if found.extrapolated else ""
    return f"{found.workers} worker{'s' if found.workers > 1 else ''}{mark}"


def _costs_of(result: RaceResult, single: Entry) -> list[float]:
    """The seconds of each item, which add up to the median lap: the medians of items add up to less."""
    laps = [lap for lap in result.laps if lap.key == single.key]
    costs = item_costs(laps, result.job["sequence"])
    stretch = (single.median_seconds or 0.0) / sum(costs) if sum(costs) else 1.0
    return [seconds * stretch for seconds in costs]


def print_sweep(result: SweepResult, console: Console) -> None:
    """A curve for each racer and kernel, with bars, and the laws fitted to it."""
    _print_heading(result, console)
    for (racer, kernel), curve in result.curves().items():
        console.print(f"\n{racer}/{kernel}" if kernel else f"\n{racer}", markup=False, style="bold")
        console.print(_curve(curve, result.machine["cores"]))
        for sentence in _laws(curve):
            console.print(sentence, markup=False)
    for note in notes(result):
        console.print(note)


def _curve(curve: Sequence[Entry], cores: int) -> Table:
    seconds = [entry.median_seconds or 0.0 for entry in curve]
    lowest, highest = min(seconds), max(seconds)

    def lines() -> Iterator[Sequence[str]]:
        for entry, median in zip(curve, seconds, strict=True):
            marks = ["lowest"] * (median == lowest) + ["usable cores"] * (entry.workers == cores)
            bar = "█" * max(1, round(BAR * median / highest))
            bound = rows.NONE if entry.schedule_bound is None else rows.number(entry.schedule_bound)
            yield (
                f"{entry.workers}",
                bar,
                duration(median),
                rows.times(entry.speedup),
                bound,
                ", ".join(marks),
            )

    return _table(("workers", "", "median", "vs sequential", "schedule bound", ""), lines())


def _laws(curve: Sequence[Entry]) -> Iterator[str]:
    """Each law fitted to the speed-ups over the curve's own single worker."""
    seconds = {entry.workers: entry.median_seconds for entry in curve if entry.median_seconds}
    if 1 not in seconds:
        yield "No law is fitted: the sweep has no lap with 1 worker"
        return
    if min(entry.laps for entry in curve) < FEWEST_ROUNDS:
        yield f"No law is fitted below {FEWEST_ROUNDS} rounds"
        return
    for law, (_, names) in LAWS.items():
        if len(seconds) - 1 <= len(names):
            yield f"{law}: too few numbers of workers for a fit"
            continue
        try:
            yield _law_in_words(fit(law, list(seconds), [seconds[1] / each for each in seconds.values()]))
        except ImportError:
            yield "Amdahl's and Gunther's laws are fitted with SciPy: pip install 'primerace[fit]'"
            return


def _law_in_words(found: Fit) -> str:
    values = ", ".join(f"{name} {value:.4g}" for name, value in found.parameters.items())
    verdict = "fits" if found.fits else "does not fit"
    return f"{found.law}: {values}; {verdict} (residual {found.residual:.1%} rms)"


def print_comparison(comparison: Comparison, console: Console) -> None:
    """The contestants of two results side by side, and which facts differ."""
    console.print(_table(COMPARISON_COLUMNS, map(comparison_row, comparison.rows)))
    for place, keys in (("first", comparison.only_before), ("second", comparison.only_after)):
        for racer, kernel, workers in keys:
            console.print(f"only in the {place}: {racer}/{kernel} with {workers}", markup=False)
    for fact, (before, after) in comparison.facts.items():
        console.print(f"differs: {fact}: {before!r} -> {after!r}"[:300], markup=False)

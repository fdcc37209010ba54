"""The advice in the terminal: what to use, why, what would change that, and the code."""

from collections.abc import Iterator, Sequence
from statistics import median

from rich.console import Console

from primerace.advising import Advice
from primerace.advising.rule import MODELS, Standing
from primerace.advising.sizing import middle
from primerace.laps import BASELINE
from primerace.report import heading, rows
from primerace.report.gil import gil_in_words
from primerace.report.notes import notes
from primerace.report.rows import duration, size
from primerace.report.text import table
from primerace.results import Entry
from primerace.stats import FEWEST_ROUNDS

COLUMNS = (
    "model",
    "workers",
    "whole job",
    "vs for loop",
    "start-up",
    "memory\nper worker",
    "running,\nvs for loop",
)


def print_advice(advice: Advice, console: Console) -> None:
    """One page."""
    console.print(_heading(advice), markup=False)
    console.print(f"\n{verdict(advice)}\n", markup=False, style="bold")
    for subject, words in reasons(advice):
        console.print(f"{subject:9} {words}", markup=False)
    console.print(table(COLUMNS, _lines(advice), texts=1))
    for kind, subject, words in notes(advice.race):
        if kind:
            console.print(f"{kind}: {subject}: {words}" if subject else f"{kind}: {words}", markup=False)
    if advice.outlook:
        console.print("What would change this", style="bold")
    for sentence in advice.outlook:
        console.print(f"- {sentence}", markup=False)
    code = "The code" if advice.choice.model else "The code of a for loop"
    console.print(f"\n{code}, to be saved and run in this folder", style="bold")
    console.print(advice.code, markup=False, soft_wrap=True, end="")


def _heading(advice: Advice) -> str:
    facts, sample = advice.race.machine, advice.sample
    count, measured = len(sample.whole.items), len(sample.indices)
    all_items = heading.counted(count, "item")
    items = all_items if measured == count else f"{measured} of its {all_items}, drawn at random"
    chunks = f" in chunks of {sample.chunk}" if sample.chunk > 1 else ""
    return (
        f"{advice.function}: {items}{chunks}, {heading.counted(advice.race.rounds, 'round')}; "
        f"{heading.machine(facts)}, start method {facts['start_method']}"
    )


def verdict(advice: Advice) -> str:
    """The sentence that all the rest stands behind."""
    choice = advice.choice
    if not choice.standings and any(entry.disqualified for entry in advice.race.entries):
        return "No model is advised: the for loop itself is disqualified."
    if choice.model is None:
        return f"No model is advised: that takes {FEWEST_ROUNDS} rounds at least."
    if choice.model == BASELINE:
        return "Stay with a for loop: no model is shown to be faster, start-up included."
    chosen = next(each for each in choice.standings if each.model == choice.model)
    level = f"; no slower, but not simpler: {', '.join(choice.level)}" if choice.level else ""
    return (
        f"Use {MODELS[choice.model]}: {rows.ratio(chosen.gain)} as fast as a for loop, "
        f"start-up included{level}."
    )


def reasons(advice: Advice) -> Iterator[tuple[str, str]]:
    """What the choice rests on, but for the race itself."""
    if advice.race.job.get("gil"):
        yield "GIL", gil_in_words(advice.race.job["gil"])
    yield "an item", _about_items(advice)
    found = advice.pickling
    if found.obstacle is not None:
        yield "pickling", f"{found.obstacle}; a pool of processes is out"
    elif found.seconds is not None:
        share = found.seconds / max(advice.sample.mean_seconds, 1e-9)
        sizes = f"{size(found.item_bytes)} there and {size(found.answer_bytes)} back"
        yield "pickling", f"{sizes}, {duration(found.seconds)} an item: {share:.2%} of what it takes"


def _about_items(advice: Advice) -> str:
    sample = advice.sample
    whole = duration(sample.mean_seconds * len(sample.whole.items))
    if sample.chunk > 1 or len(sample.outcomes) == 1:
        return f"takes {duration(sample.mean_seconds)} on average, all of them {whole}"
    low, high = map(duration, middle(sample.seconds))
    usual = duration(median(sample.seconds))
    return f"takes {usual} (median; 8 of 10 from {low} to {high}), all of them {whole}"


def _lines(advice: Advice) -> list[Sequence[str]]:
    entries = {entry.racer: entry for entry in advice.race.entries}
    return [_line(standing, entries[standing.model]) for standing in advice.choice.standings]


def _line(standing: Standing, entry: Entry) -> Sequence[str]:
    single = standing.model == BASELINE
    return (
        standing.model,
        str(entry.workers),
        duration(standing.seconds),
        rows.NONE if single else rows.ratio(standing.gain),
        rows.NONE if single else duration(entry.startup_seconds),
        size(entry.worker_bytes),
        rows.NONE if single else rows.times(entry.speedup),
    )

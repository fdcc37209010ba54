"""Which worker ran which item when: here one sees the GIL.

Each item is a box as long as it took. Solid: it computed, as long as its processor seconds say. Pale: it
waited, for the GIL or for a core. When within the item it waited is not measured. A compiled call that holds
the GIL computes first and waits when it returns, until the other worker's call is over: drawn in that order,
two workers take turns. Where several workers would have computed at once in that order, it is drawn as an
even share of the box's height instead, as on a crowded machine, where any worker loses its core. So is kernel
python in any case: its threads give the GIL away every few milliseconds. Workers that divide each item are
measured together: each is drawn with an even share of its processor seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import altair as alt

from primerace.kernels import KERNELS
from primerace.laps import Lap
from primerace.racers.base import Outcome
from primerace.report import rows
from primerace.report.charts.figure import Figure, chart_of, label_axis, layered, names, rounded
from primerace.results import Entry, RaceResult, SweepResult
from primerace.summary import divides_items

LANE = 13  # pixels of a worker
MARGIN = 0.07  # of a lane, above and below its boxes
FEW = 8  # workers that are shown even if they had no item
HAIRS = 700  # of a lap: the least that is seen of an item
MOST = 150  # boxes of a worker; more are drawn in groups
ALIKE = 0.05  # of the computing may overlap and still count as taking turns: clocks differ
LOOPS = {"held": "compiled", "released": "compiled"}  # the same loop: on one scale
TWO_FACES = "held and released: the same compiled loop with the GIL held, and released"
UNITS = ((1.0, "seconds"), (1e-3, "milliseconds"), (1e-6, "microseconds"))


def timeline(result: RaceResult) -> Figure | None:
    """Which worker ran which item when, in the median lap of each contestant.

    Args:
        result: a race; or a sweep, of which each curve is shown with the number of workers that was fastest.

    Returns:
        The figure, a view for each group of kernels; None where no contestant has a time.
    """
    groups: dict[str | None, list[Entry]] = {}
    for entry in _shown(result):
        groups.setdefault(LOOPS.get(entry.kernel or "", entry.kernel), []).append(entry)
    if not groups:
        return None
    lap = "The median lap"
    if isinstance(result, SweepResult):
        lap += ", with the number of workers that was fastest"
    caption = (
        f"{lap}: a line for each worker, a box for each item. Solid: it computes, drawn first; only its "
        "length is measured. Pale: it waits for the GIL or for a core; where only the lower part is solid, "
        "it waits again and again. Grey: idle. At the right: how many cores compute on average."
    )
    views = [_view(result, group) for group in groups.values()]
    return Figure("timeline", "which worker ran which item when", caption, views)


def _shown(result: RaceResult) -> Iterator[Entry]:
    if isinstance(result, SweepResult):
        for curve in result.curves().values():
            yield min(curve, key=lambda entry: entry.median_seconds or 0.0)
        return
    order = {name: place for place, name in enumerate(KERNELS)}
    timed = [entry for entry in result.entries if entry.median_seconds is not None]
    racers = list(dict.fromkeys(entry.racer for entry in sorted(timed, key=lambda entry: entry.workers)))
    yield from sorted(
        timed, key=lambda entry: (racers.index(entry.racer), order.get(entry.kernel or "", len(order)))
    )


def _view(result: RaceResult, group: Sequence[Entry]) -> alt.LayerChart:
    laps = {entry.key: _median_lap(result, entry) for entry in group}
    longest = max(lap.seconds for lap in laps.values())
    factor, unit = _unit(longest)
    called = names(result)
    items: list[dict[str, Any]] = []
    lanes: list[dict[str, float]] = []
    left: dict[float, str] = {}
    right: dict[float, str] = {}
    top = 0
    for entry in group:
        lap = laps[entry.key]
        height = len(_lanes(lap))
        boxes = _boxes(result, lap, top, factor, longest / HAIRS)
        items += [{"contestant": called[entry.key], **box} for box in boxes]
        end = rounded(lap.seconds / factor)
        lanes += [
            {"start": 0, "end": end, "top": lane, "bottom": lane + 1} for lane in range(top, top + height)
        ]
        left[top + height / 2] = called[entry.key]
        right[top + height / 2] = f"{sum(each.cpu_seconds for each in lap.outcomes) / lap.seconds:.2f} cores"
        top += height + 1
    title = alt.Title(_title(group), fontSize=13, fontWeight="normal", offset=8, frame="group")
    return _chart(items, lanes, left, right, unit).properties(title=title)


def _title(group: Sequence[Entry]) -> str:
    kernels = list(dict.fromkeys(entry.kernel or "" for entry in group))
    return TWO_FACES if len(kernels) > 1 else kernels[0]


def _median_lap(result: RaceResult, entry: Entry) -> Lap:
    laps = sorted((lap for lap in result.laps if lap.key == entry.key), key=lambda lap: lap.seconds)
    middle = laps[(len(laps) - 1) // 2]
    return _divided(middle) if divides_items(entry.racer) else middle


def _divided(lap: Lap) -> Lap:
    """The lap of workers that divide each item: every worker has it, with an even share of its computing."""
    shares = [
        replace(each, worker=worker, cpu_seconds=each.cpu_seconds / lap.workers)
        for each in lap.outcomes
        for worker in range(lap.workers)
    ]
    return replace(lap, outcomes=shares)


def _unit(longest: float) -> tuple[float, str]:
    """The unit in which the longest lap reads well, in seconds and by name."""
    return next(((factor, name) for factor, name in UNITS if longest >= factor), UNITS[-1])


def _boxes(result: RaceResult, lap: Lap, top: int, factor: float, hair: float) -> Iterator[dict[str, Any]]:
    """The boxes of a lap whose first lane is at the top, none thinner than a hair."""
    takes_turns = lap.workers == 1 or (lap.kernel != "python" and in_turns(lap.outcomes))
    for place, (worker, lane) in enumerate(_lanes(lap).items(), start=top):
        floor, ceiling = place + 1 - MARGIN, place + MARGIN
        for group in _grouped(lane):
            begin, end = group[0].started, group[-1].started + group[-1].seconds
            took = end - begin
            computed = min(sum(each.cpu_seconds for each in group), took)
            share = computed / took if took else 1.0
            yield {
                "begin": rounded(begin / factor),
                "end": rounded((begin + max(took, hair)) / factor),
                "until": rounded((begin + max(computed if takes_turns else took, hair)) / factor),
                "ceiling": ceiling,
                "floor": floor,
                "level": ceiling if takes_turns else rounded(floor - share * (floor - ceiling)),
                "fine": took < 2 * hair,
                "worker": worker + 1,
                **_words(result, group, took, computed),
            }


def _lanes(lap: Lap) -> dict[int, list[Outcome]]:
    """The items of each worker in the order in which they began; of many workers, only those that had any."""
    lanes: dict[int, list[Outcome]] = {worker: [] for worker in range(lap.workers) if lap.workers <= FEW}
    for outcome in sorted(lap.outcomes, key=lambda outcome: outcome.started):
        lanes.setdefault(outcome.worker, []).append(outcome)
    return dict(sorted(lanes.items()))


def _grouped(lane: Sequence[Outcome]) -> Iterator[Sequence[Outcome]]:
    """Single items, or neighbours together where there are too many to be seen."""
    size = -(-len(lane) // MOST) or 1
    yield from (lane[place : place + size] for place in range(0, len(lane), size))


def in_turns(outcomes: Sequence[Outcome]) -> bool:
    """Whether at most one worker computed at any time, if each item computes first and waits then.

    Args:
        outcomes: the items of one lap.

    >>> held = [Outcome(0, True, 2.0, 1.0, 0, 0.0), Outcome(1, True, 2.0, 1.0, 1, 1.0)]
    >>> released = [Outcome(0, True, 1.0, 1.0, 0, 0.0), Outcome(1, True, 1.0, 1.0, 1, 0.0)]
    >>> in_turns(held), in_turns(released)
    (True, False)
    """
    spans = sorted((each.started, each.started + min(each.cpu_seconds, each.seconds)) for each in outcomes)
    computing = overlap = 0.0
    latest = -inf
    for begin, end in spans:
        computing += end - begin
        overlap += max(0.0, min(end, latest) - begin)
        latest = max(latest, end)
    return overlap <= ALIKE * computing


def _words(result: RaceResult, group: Sequence[Outcome], seconds: float, cpu: float) -> dict[str, str]:
    first = group[0]
    if len(group) > 1:
        what = {"item": f"{len(group)} items", "answer": rows.NONE}
    else:
        what = {"item": _short(result.job["items"][first.index]), "answer": _short(first.answer)}
    return {**what, "took": rows.duration(seconds), "computed": rows.duration(cpu)}


def _short(value: object, most: int = 32) -> str:
    try:
        text = str(value)
    except ValueError:  # Python's limit on the digits of an integer
        text = "too long to show"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _chart(
    items: list[dict[str, Any]],
    lanes: list[dict[str, float]],
    left: Mapping[float, str],
    right: Mapping[float, str],
    unit: str,
) -> alt.LayerChart:
    bottom = max(lane["bottom"] for lane in lanes)
    across = alt.Scale(domain=[0, max(lane["end"] for lane in lanes)], nice=False)
    down = alt.Scale(domain=[bottom, 0], nice=False)
    states = alt.Scale(domain=["computes", "waits"])
    title = f"{unit} since the lap began"
    base = chart_of(items)
    begin = alt.X("begin:Q", scale=across, title=title)
    tooltip = ["contestant:N", "worker:Q", "item:N", "answer:N", "took:N", "computed:N"]
    legend = alt.Legend(title=None, symbolType="square")
    color = alt.Color("state:N", scale=states, legend=legend)
    solid = alt.Scale(domain=states.domain, range=[1, 0.42])
    opacity = alt.Opacity("state:N", scale=solid, sort=states.domain, legend=legend)  # unsorted, Vega warns
    edge = alt.when("datum.fine").then(alt.value(0)).otherwise(alt.value(0.6))
    waits = (
        base.transform_calculate(state="'waits'")
        .mark_rect(style="item", aria=False, clip=True)
        .encode(
            x=begin,
            x2="end:Q",
            y=alt.Y("ceiling:Q", scale=down, axis=label_axis(left)),
            y2="floor:Q",
            color=color,
            opacity=opacity,
            strokeWidth=edge,
            tooltip=tooltip,
        )
    )
    computes = (
        base.transform_calculate(state="'computes'")
        .mark_rect(style="item", aria=False, clip=True)
        .encode(
            x=begin,
            x2="until:Q",
            y=alt.Y("level:Q", scale=down, axis=label_axis(right, "right")),
            y2="floor:Q",
            color=color,
            opacity=opacity,
            strokeWidth=edge,
            tooltip=tooltip,
        )
    )
    idle = (
        chart_of(lanes)
        .mark_rect(style="idle", aria=False)
        .encode(
            x=alt.X("start:Q", scale=across, title=title),
            x2="end:Q",
            y=alt.Y("top:Q", scale=down, axis=None),
            y2="bottom:Q",
        )
    )
    last = (
        chart_of(lanes)
        .mark_rule(style="reference", aria=False)
        .encode(
            x=alt.X("end:Q", scale=across, title=title),
            y=alt.Y("top:Q", scale=down, axis=None),
            y2="bottom:Q",
        )
    )
    return layered([idle, waits, computes, last], height=LANE * bottom, two_axes=True)

"""A sweep as curves over the number of workers, beside what the order of the items allows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt

from primerace.report import rows
from primerace.report.charts.figure import Figure, chart_of, layered, rounded
from primerace.report.heading import counted
from primerace.results import Entry, SweepResult
from primerace.stats import FEWEST_ROUNDS

HEIGHT = 320  # pixels
STEPS = 12  # labels on the axis of workers, at most
DODGE = 0.25  # of the distance between two numbers of workers, for all curves together


def speedup_curves(result: SweepResult) -> Figure | None:
    """The speed-up of each racer and kernel over the number of workers.

    Args:
        result: a sweep.

    Returns:
        The figure; None where no contestant has a baseline.
    """
    data = [
        {
            **_point(entry, curve),
            "value": rounded(entry.speedup.ratio.value),
            "low": entry.speedup.ratio.low and rounded(entry.speedup.ratio.low),
            "high": entry.speedup.ratio.high and rounded(entry.speedup.ratio.high),
            "bound": entry.schedule_bound and rounded(entry.schedule_bound),
        }
        for curve in result.curves().values()
        for entry in curve
        if entry.speedup
    ]
    if not data:
        return None
    interval = "bar: its 95% interval" if result.rounds >= FEWEST_ROUNDS else "too few rounds for intervals"
    caption = (
        f"Symbol: median ratio within a round; {interval}; ring: the lowest median of its curve; "
        "dashed: what the order of the items allows."
    )
    same = " with the same kernel" if any(kernel for _, kernel in result.curves()) else ""
    chart = _chart(data, result.machine["cores"], f"times faster than sequential{same}")
    return Figure("speedup", "how many times faster with more workers", caption, [chart])


def second_curves(result: SweepResult) -> Figure | None:
    """The median seconds of a lap of each racer and kernel over the number of workers.

    Args:
        result: a sweep.

    Returns:
        The figure; None where no contestant has a time.
    """
    laps: dict[object, list[float]] = {}
    for lap in result.laps:
        laps.setdefault(lap.key, []).append(lap.seconds)
    data = [
        {
            **_point(entry, curve),
            "value": rounded(entry.median_seconds or 0.0),
            "low": rounded(min(laps[entry.key])),
            "high": rounded(max(laps[entry.key])),
        }
        for curve in result.curves().values()
        for entry in curve
    ]
    if not data:
        return None
    caption = (
        "Symbol: median; bar: from the shortest lap to the longest; ring: the lowest median of its curve. "
        "Start-up is not part of a lap."
    )
    chart = _chart(data, result.machine["cores"], "seconds of a lap")
    return Figure("seconds", "seconds of a lap with more workers", caption, [chart])


def _point(entry: Entry, curve: Sequence[Entry]) -> dict[str, Any]:
    return {
        "curve": entry.name,
        "workers": entry.workers,
        "speed-up": rows.times(entry.speedup),
        "median": rows.duration(entry.median_seconds),
        "lowest": entry.median_seconds == min(each.median_seconds or 0.0 for each in curve),
    }


def _dodged(data: Sequence[Mapping[str, Any]], curves: Sequence[str], counts: Sequence[int]) -> list[Any]:
    """The points of one number of workers side by side, so that each bar is seen."""
    room = DODGE * min((high - low for low, high in pairwise(counts)), default=1)
    middle = (len(curves) - 1) / 2
    return [
        {**row, "place": rounded(row["workers"] + room * (curves.index(row["curve"]) - middle) / len(curves))}
        for row in data
    ]


def _chart(data: Sequence[Mapping[str, Any]], cores: int, title: str) -> alt.LayerChart:
    counts = sorted({row["workers"] for row in data})
    curves = list(dict.fromkeys(row["curve"] for row in data))
    points = chart_of(_dodged(data, curves, counts))
    margin = (counts[-1] - counts[0]) / 24 or 1
    across = alt.Scale(domain=[counts[0] - margin, counts[-1] + margin], nice=False)
    axis = alt.Axis(values=counts[:: -(-len(counts) // STEPS)], grid=False, format="d", title="workers")
    x = alt.X("place:Q", scale=across, axis=axis)
    exact = alt.X("workers:Q", scale=across, axis=axis)
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=True))
    known = alt.Scale(domain=curves)
    legend = alt.Legend(title=None, columns=3, labelLimit=200, symbolOpacity=1)
    color = alt.Color("curve:N", scale=known, legend=legend)
    shape = alt.Shape("curve:N", scale=known, legend=legend)
    ring = points.transform_filter("datum.lowest").mark_point(shape="circle", size=300, strokeWidth=1.8)
    dot = points.mark_point(filled=True, size=75, opacity=1)
    bounds = [points.mark_line(style="bound").encode(x=exact, y="bound:Q", detail="curve:N")]
    tooltip = ["curve:N", "workers:Q", "speed-up:N", "median:N"]
    has_bounds = any(row.get("bound") for row in data)
    layers = [
        *_usable_cores(cores, exact),
        *bounds * has_bounds,
        points.mark_rule(strokeWidth=2, opacity=0.6).encode(x=x, y="low:Q", y2="high:Q", color=color),
        points.mark_line(strokeWidth=1.8).encode(x=x, y=y, color=color),
        ring.encode(x=x, y=y, color=color),
        dot.encode(x=x, y=y, color=color, shape=shape, tooltip=[*tooltip, *["bound:Q"] * has_bounds]),
    ]
    return layered(layers, height=HEIGHT)


def _usable_cores(cores: int, x: alt.X) -> list[alt.Chart]:
    words = counted(cores, "usable core")
    base = chart_of([{"workers": cores, "words": words}])
    text = base.mark_text(style="remark", align="left", baseline="top", dx=6, dy=3, clip=True)
    return [
        base.mark_rule(style="reference", opacity=0.6, clip=True).encode(x=x),
        text.encode(x=x, y=alt.value(0), text="words:N"),
    ]

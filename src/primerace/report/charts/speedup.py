"""How many times faster than sequential: a dot and its interval for each contestant, beside the bound."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import altair as alt

from primerace.kernels import KERNELS
from primerace.laps import AGAIN, BASELINE, Key
from primerace.report import rows
from primerace.report.charts.figure import (
    Figure,
    chart_of,
    is_alike,
    label_axis,
    layered,
    names,
    rounded,
    scale_for,
)
from primerace.results import Entry, RaceResult
from primerace.stats import FEWEST_ROUNDS

ROW = 21  # pixels
IN_ORDER = list(KERNELS)  # of the colours and shapes
OWN = "function"  # a user's own function, where there is no kernel


def speedup(result: RaceResult) -> Figure | None:
    """The speed-up of each contestant over the sequential racer with the same kernel.

    Args:
        result: a race.

    Returns:
        The figure, with a view of its own for kernels that need a logarithmic scale; None where no
        contestant has such a baseline.
    """
    judged = [entry for entry in result.entries if entry.speedup and entry.racer != BASELINE]
    if not judged:
        return None
    called = names(result)
    by_kernel = groupby(sorted(judged, key=_place), key=lambda entry: entry.kernel)
    kernels = [[_row(entry, called) for entry in group] for _, group in by_kernel]
    near = [group for group in kernels if is_alike(_seen(group))]
    far = [group for group in kernels if group not in near]
    same = " with the same kernel" if any(entry.kernel for entry in judged) else ""
    again = ", (again): than its twin" if any(entry.racer.endswith(AGAIN) for entry in judged) else ""
    views = [_view(groups, f"times faster than sequential{same}{again}") for groups in (near, far) if groups]
    interval = "bar: its 95% interval" if result.rounds >= FEWEST_ROUNDS else "too few rounds for intervals"
    caption = (
        f"Right of the line at 1 is faster. Symbol: median ratio within a round; {interval}; "
        "upright tick: what the order of the items allows."
    )
    return Figure("speedup", "how many times faster than one worker", caption, views)


def _place(entry: Entry) -> int:
    return IN_ORDER.index(entry.kernel) if entry.kernel in KERNELS else len(KERNELS)


def _row(entry: Entry, called: Mapping[Key, str]) -> dict[str, Any]:
    assert entry.speedup
    ratio = entry.speedup.ratio
    return {
        "contestant": called[entry.key],
        "kernel": entry.kernel or OWN,
        "times": rounded(ratio.value),
        "low": None if ratio.low is None else rounded(ratio.low),
        "high": None if ratio.high is None else rounded(ratio.high),
        "bound": None if entry.schedule_bound is None else rounded(entry.schedule_bound),
        "speed-up": rows.times(entry.speedup),
        "against": entry.speedup.against,
        "workers": entry.workers,
        "median": rows.duration(entry.median_seconds),
    }


def _seen(group: Sequence[Mapping[str, Any]]) -> list[float]:
    numbers = [row[key] for row in group for key in ("times", "low", "high", "bound")]
    return [1.0, *(number for number in numbers if number is not None)]


def _view(groups: Sequence[Sequence[Mapping[str, Any]]], title: str) -> alt.LayerChart:
    """Rows from top to bottom, with half a row between kernels."""
    data = [
        {**row, "row": 0.5 + place + gap / 2}
        for gap, group in enumerate(groups)
        for place, row in enumerate(group, start=sum(map(len, groups[:gap])))
    ]
    height = data[-1]["row"] + 0.5
    scale, axis = scale_for(_seen(data), title)
    down = alt.Scale(domain=[height, 0], nice=False)
    left = label_axis({row["row"]: row["contestant"] for row in data})
    right = label_axis({row["row"]: row["speed-up"] for row in data}, "right")
    known = alt.Scale(domain=[OWN] if data[0]["kernel"] == OWN else IN_ORDER)
    color = alt.Color("kernel:N", scale=known, legend=None)
    base = chart_of(data)
    one = chart_of([{"times": 1}]).mark_rule(style="reference")
    bound = base.mark_tick(style="limit", size=15, thickness=2, opacity=0.75)
    interval = base.mark_rule(strokeWidth=3, opacity=0.55)
    dot = base.mark_point(filled=True, size=95, opacity=1)
    layers = [
        one.encode(x=alt.X("times:Q", scale=scale, axis=axis)),
        bound.encode(x=alt.X("bound:Q", scale=scale, axis=axis), y=alt.Y("row:Q", scale=down, axis=left)),
        interval.encode(
            x=alt.X("low:Q", scale=scale, axis=axis),
            x2="high:Q",
            y=alt.Y("row:Q", scale=down, axis=None),
            color=color,
        ),
        dot.encode(
            x=alt.X("times:Q", scale=scale, axis=axis),
            y=alt.Y("row:Q", scale=down, axis=right),
            color=color,
            shape=alt.Shape("kernel:N", scale=known, legend=None),
            tooltip=["contestant:N", "workers:Q", "speed-up:N", "against:N", "bound:Q", "median:N"],
        ),
    ]
    return layered(layers, height=ROW * height, two_axes=True)

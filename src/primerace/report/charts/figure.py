"""A figure: one or several views that answer one question, with its title and how to read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Literal

import altair as alt

from primerace.laps import AGAIN, BASELINE, Key
from primerace.report.charts.theme import background, config
from primerace.report.heading import machine, measured
from primerace.results import RaceResult

WIDTH = 620  # pixels of the plots themselves in a picture
LABEL = 220  # pixels of a label, at most
LETTER = 6.6  # pixels of an average letter of a label
LINE = 105  # letters of a line of a subtitle


@dataclass(frozen=True)
class Figure:
    """What answers one question.

    Args:
        name: what the command line calls it.
        title: what is seen, without the job's name.
        caption: how to read it.
        views: the charts, from top to bottom; each is as wide as it is made.
    """

    name: str
    title: str
    caption: str
    views: Sequence[alt.LayerChart]

    def parts(self, dark: bool = False) -> list[dict[str, Any]]:
        """Vega-Lite specifications of the views, each as wide as its container, for a page of its own words.

        Args:
            dark: for a dark background; only `config` depends on it.
        """
        about = f"{self.title}. {self.caption}"
        return [
            view.properties(width="container", description=about).configure(**config(dark)).to_dict()
            for view in self.views
        ]

    def whole(self, result: RaceResult, dark: bool = False, width: int = WIDTH) -> alt.VConcatChart:
        """One chart of all views, with the job, the machine and the rounds in its title.

        Args:
            result: where the figure comes from.
            dark: for a dark background.
            width: pixels of each plot.
        """
        views = [view.properties(width=width) for view in self.views]
        heading = alt.Title(
            _cut(f"{result.job['name']}: {self.title}", 80),
            subtitle=[line for text in (*facts(result), self.caption) for line in _lines(text)],
        )
        about = f"{result.job['name']}: {self.title}. {self.caption}"
        settings = {**config(dark), "background": background(dark)}
        chart = alt.vconcat(*views, title=heading, spacing=22, padding=14, description=about)
        configured: alt.VConcatChart = chart.configure(**settings)
        return configured


def facts(result: RaceResult) -> list[str]:
    """What a picture that stands alone has to say about its result."""
    lines = [f"{measured(result)}; {machine(result.machine)}"]
    out = [entry.name for entry in result.entries if entry.disqualified is not None]
    if out:
        lines.append(f"Disqualified: {', '.join(out)}")
    return lines


def _lines(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        full = len(lines[-1]) + len(word) > LINE
        lines = [*lines, word] if full else [*lines[:-1], f"{lines[-1]} {word}".strip()]
    return [_cut(line, LINE + 15) for line in lines]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def names(result: RaceResult) -> dict[Key, str]:
    """What to call each contestant, by its key: with the number of workers where that is not plain."""
    single = {entry.key for entry in result.entries if entry.racer.removesuffix(AGAIN) == BASELINE}
    plain = len({entry.workers for entry in result.entries if entry.key not in single}) <= 1
    return {
        entry.key: entry.name if plain or entry.key in single else f"{entry.name} ×{entry.workers}"
        for entry in result.entries
    }


def chart_of(data: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of these rows, which it holds itself."""
    return alt.Chart(alt.InlineData(values=list(data)))


def layered(layers: Sequence[alt.Chart], height: float, two_axes: bool = False) -> alt.LayerChart:
    """Charts on top of each other.

    Args:
        layers: from the lowest to the uppermost.
        height: pixels.
        two_axes: whether there is a vertical axis at the left and another one at the right.
    """
    chart = alt.LayerChart(layer=list(layers), height=height)
    resolved: alt.LayerChart = chart.resolve_axis(y="independent" if two_axes else "shared")
    return resolved


def label_axis(labels: Mapping[float, str], orient: Literal["left", "right"] = "left") -> alt.Axis:
    """An axis with these words at these places.

    Args:
        labels: words by place.
        orient: 'left' or 'right'.
    """
    words = json.dumps({f"{place:g}": text for place, text in labels.items()})
    return alt.Axis(
        values=list(labels),
        labelExpr=f"{words}[datum.value]",
        minExtent=min(LETTER * max(map(len, labels.values())), LABEL),
        orient=orient,
        title=None,
        grid=False,
        ticks=False,
        domain=False,
        labelPadding=8,
        labelLimit=LABEL,
    )


def is_alike(values: Sequence[float]) -> bool:
    """Whether a linear scale from 0 shows all of these numbers above 0 well.

    >>> is_alike([0.9, 1.8]), is_alike([0.02, 1.8])
    (True, False)
    """
    return max(values) < 10 * min(values)


def scale_for(values: Sequence[float], title: str) -> tuple[alt.Scale, alt.Axis]:
    """A scale for numbers above 0 and its axis: linear from 0 where they are alike, else logarithmic.

    Args:
        values: all that is to be seen.
        title: what they are; that the scale is logarithmic is added.
    """
    lowest, highest = min(values), max(values)
    if is_alike(values):
        return alt.Scale(domain=[0, highest * 1.05], nice=False), alt.Axis(title=title, tickCount=8)
    domain = [lowest / 1.2, highest * 1.2]
    axis = alt.Axis(title=f"{title}, logarithmic", values=_round_numbers(*domain))
    return alt.Scale(type="log", domain=domain, nice=False), axis


def _round_numbers(lowest: float, highest: float) -> list[float]:
    decades = range(floor(log10(lowest)), floor(log10(highest)) + 1)
    steps = (1, 2, 5) if len(decades) <= 3 else (1,)
    numbers = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [number for number in numbers if lowest <= number <= highest]


def rounded(value: float, digits: int = 5) -> float:
    """To so many significant digits: what a screen can't show only makes the file larger."""
    return float(f"{value:.{digits}g}")

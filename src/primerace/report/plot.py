"""Results as figures, and figures as files: SVG, PNG or a page of its own, without a browser or a network.

Altair makes the specifications (Vega-Lite), vl-convert turns them into pictures.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from primerace.results import RaceResult, ResultError, SweepResult

if TYPE_CHECKING:
    from primerace.report.charts.figure import Figure

KINDS = ("svg", "png", "html")
CHARTS = ("speedup", "seconds", "timeline")  # the first that a result has is the default


def figures(result: RaceResult) -> Iterator["Figure"]:
    """All figures that a result has the laps for, each drawn when it is asked for.

    Args:
        result: a race or a sweep.

    Raises:
        ImportError: Altair or vl-convert is not installed, or too old; the message says what helps.

    >>> from primerace import Job, race
    >>> shown = figures(race(Job("tiny", [7, 9]), ["threads"], ["held"], rounds=1))
    >>> [figure.name for figure in shown]
    ['seconds', 'timeline']
    """
    _need("altair")
    _need("vl_convert")
    from primerace.report.charts import vega
    from primerace.report.charts.curves import second_curves, speedup_curves
    from primerace.report.charts.seconds import seconds
    from primerace.report.charts.speedup import speedup
    from primerace.report.charts.timeline import timeline

    vega.check_version()
    if isinstance(result, SweepResult):
        yield from _drawn((speedup_curves, second_curves, timeline), result)
    else:
        yield from _drawn((speedup, seconds, timeline), result)


def _drawn(charts: Iterable[Callable[[Any], "Figure | None"]], result: RaceResult) -> Iterator["Figure"]:
    yield from (made for draw in charts if (made := draw(result)) is not None)


def figure(result: RaceResult, name: str | None = None) -> "Figure":
    """One figure of a result.

    Args:
        result: a race or a sweep.
        name: one of CHARTS; None is the first that this result has.

    Raises:
        ResultError: this result has no such figure; the message says which it has.
        ImportError: Altair or vl-convert is not installed; the message names the extra.
    """
    others = []
    for made in figures(result):
        if name in (None, made.name):
            return made
        others.append(made.name)
    if not others:
        raise ResultError("there is no lap to draw")
    raise ResultError(f"there is no chart {name} of this result, which has {', '.join(others)}")


def picture(result: RaceResult, shown: "Figure", kind: str, dark: bool = False) -> bytes:
    """What a file with this figure holds.

    Args:
        result: where the figure comes from.
        shown: the figure.
        kind: one of KINDS.
        dark: for a dark background.
    """
    from primerace.report.charts import standalone, vega

    chart = shown.whole(result, dark).to_dict()
    if kind == "html":
        return standalone.page(chart, f"{result.job['name']}: {shown.title}").encode("utf-8", "replace")
    return vega.png(chart) if kind == "png" else vega.svg(chart)


def _need(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise ImportError(f"charts need {module}: pip install 'primerace[plot]' ({error})") from None

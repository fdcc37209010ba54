"""How long a lap takes: every lap as a tick, so that the spread is seen, and the median as a dot."""

import altair as alt

from primerace.report import rows
from primerace.report.charts.figure import Figure, chart_of, label_axis, layered, names, rounded, scale_for
from primerace.results import Entry, RaceResult

ROW = 19  # pixels
MOST = 200  # laps of one contestant; more would only draw over each other


def seconds(result: RaceResult) -> Figure | None:
    """The seconds of every lap, from the fastest contestant to the slowest.

    Args:
        result: a race or a sweep.

    Returns:
        The figure; None where no contestant has a time.
    """
    timed = [entry for entry in result.entries if entry.median_seconds is not None]
    if not timed:
        return None
    called = names(result)
    places = {entry.key: place + 0.5 for place, entry in enumerate(timed)}
    medians = [
        {
            "contestant": called[entry.key],
            "row": places[entry.key],
            "seconds": rounded(entry.median_seconds or 0.0),
            "median": rows.duration(entry.median_seconds),
            "start-up": rows.duration(entry.startup_seconds),
            "laps": entry.laps,
        }
        for entry in timed
    ]
    laps = [
        {"row": places[entry.key], "seconds": rounded(each)}
        for entry in timed
        for each in _spread(result, entry)
    ]
    caption = "Left is faster. Dot: median; pale ticks: the single laps. Start-up is not part of a lap."
    return Figure("seconds", "seconds of a lap", caption, [_chart(medians, laps)])


def _spread(result: RaceResult, entry: Entry) -> list[float]:
    """The seconds of its laps; of very many, evenly many from the shortest to the longest."""
    every = sorted(lap.seconds for lap in result.laps if lap.key == entry.key)
    if len(every) <= MOST:
        return every
    return [every[round(place * (len(every) - 1) / (MOST - 1))] for place in range(MOST)]


def _chart(medians: list[dict[str, object]], laps: list[dict[str, float]]) -> alt.LayerChart:
    scale, axis = scale_for([row["seconds"] for row in laps], "seconds of a lap")
    axis.labelExpr = "format(datum.value, '~s') + 's'"
    vertical = alt.Scale(domain=[len(medians), 0], nice=False)
    x = alt.X("seconds:Q", scale=scale, axis=axis)
    left = label_axis({row["row"]: row["contestant"] for row in medians})  # type: ignore[misc]
    right = label_axis({row["row"]: row["median"] for row in medians}, "right")  # type: ignore[misc]
    ticks = (
        chart_of(laps)
        .mark_tick(size=13, thickness=1.5, opacity=0.35, aria=False)
        .encode(x=x, y=alt.Y("row:Q", scale=vertical, axis=left))
    )
    dots = (
        chart_of(medians)
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            x=x,
            y=alt.Y("row:Q", scale=vertical, axis=right),
            tooltip=["contestant:N", "median:N", "laps:Q", "start-up:N"],
        )
    )
    return layered([ticks, dots], height=ROW * len(medians), two_axes=True)

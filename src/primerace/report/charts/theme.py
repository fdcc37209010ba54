"""How all charts look: one configuration for light and one for dark; the charts themselves name no colour.

The colours are those of Okabe and Ito (Color Universal Design, 2008), which the colour-blind tell apart; each
theme uses the ones that stand out from its background. Shapes and words say the same as the colours.
"""

from typing import Any

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")  # one fewer than colours
BLUE, SKY, VERMILION, ORANGE = "#0072B2", "#56B4E9", "#D55E00", "#E69F00"
GREEN, PURPLE, YELLOW = "#009E73", "#CC79A7", "#F0E442"

INK, PALE_INK, LINES = "#1f2328", "#57606a", "#d8dee4"
DARK_INK, DARK_PALE_INK, DARK_LINES = "#e6edf3", "#9da7b1", "#30363d"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def background(dark: bool) -> str:
    """The colour behind a chart."""
    return "#0d1117" if dark else "#ffffff"


def config(dark: bool = False) -> dict[str, Any]:
    """The `config` of a Vega-Lite specification; charts are transparent and fit any page of that shade.

    Args:
        dark: for a dark background.

    >>> config()["background"], config(dark=True)["range"]["category"][0]
    ('transparent', '#56B4E9')
    """
    ink, pale, lines = (DARK_INK, DARK_PALE_INK, DARK_LINES) if dark else (INK, PALE_INK, LINES)
    colours = (
        [SKY, ORANGE, GREEN, PURPLE, YELLOW, VERMILION, pale]
        if dark
        else [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, pale]
    )
    words = {"labelColor": ink, "titleColor": pale, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": "transparent",
        "font": FONT,
        "range": {"category": colours, "symbol": list(SHAPES)},
        "mark": {"color": colours[0]},
        "view": {"stroke": None},
        "axis": {
            **words,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": lines,
            "domainColor": pale,
            "tickColor": pale,
        },
        "legend": {**words, "titleFontWeight": "normal", "orient": "bottom", "symbolSize": 90},
        "title": {
            "anchor": "start",
            "color": ink,
            "fontSize": 15,
            "subtitleColor": pale,
            "subtitleFontSize": 12,
            "subtitlePadding": 5,
            "offset": 12,
        },
        "style": {
            "reference": {"color": ink, "stroke": ink, "strokeWidth": 1.5},
            "bound": {"color": pale, "stroke": pale, "strokeWidth": 1.5, "strokeDash": [5, 4]},
            "limit": {"color": ink, "fill": ink},
            "remark": {"color": pale, "fill": pale, "fontSize": 12},
            "idle": {"color": lines, "fill": lines, "opacity": 0.45},
            "item": {"stroke": background(dark)},
        },
    }

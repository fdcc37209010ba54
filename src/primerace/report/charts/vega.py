"""What vl-convert does with a chart: pictures, drawn without a browser, and Vega itself as a script."""

import json
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import altair
import vl_convert

VERSION = ".".join(
    altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2]
)  # of Vega-Lite, as Altair writes it
SHARPNESS = 2  # pixels of a PNG for each pixel of the chart


def check_version() -> None:
    """Make sure that vl-convert draws what Altair writes: each is released on its own.

    Raises:
        ImportError: it does not know this version of Vega-Lite; the message says what helps.
    """
    if VERSION not in vl_convert.get_vegalite_versions():
        raise ImportError(
            f"charts need a vl-convert that knows Vega-Lite {VERSION}, which {version('vl-convert-python')} "
            "does not: pip install --upgrade vl-convert-python"
        )


def svg(specification: dict[str, Any]) -> bytes:
    """The chart as SVG."""
    text: str = vl_convert.vegalite_to_svg(_text(specification), vl_version=VERSION)
    return text.encode()


def png(specification: dict[str, Any]) -> bytes:
    """The chart as PNG."""
    return bytes(vl_convert.vegalite_to_png(_text(specification), vl_version=VERSION, scale=SHARPNESS))


def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script for a page."""
    bundle: Callable[..., str] = vl_convert.javascript_bundle  # its stub demands what it can do without
    return bundle(vl_version=VERSION)


def _text(specification: dict[str, Any]) -> str:
    """JSON in UTF-8: a name in a result can hold half a character, which UTF-8 can't."""
    return json.dumps(specification, ensure_ascii=False).encode("utf-8", "replace").decode()

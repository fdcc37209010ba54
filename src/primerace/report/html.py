"""One self-contained page about results: it holds its styles, its scripts and its data, and loads nothing.

A Content-Security-Policy in the page itself forbids every request, and every script but the page's own, which
it knows by their hashes. Vega's expressions are interpreted, not compiled, so that no eval is needed either.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from primerace.report.charts import theme
from primerace.report.policy import hashes
from primerace.report.sections import compared, section
from primerace.results import RaceResult

ASSETS = Path(__file__).parent / "page"


def page(results: Sequence[tuple[str, RaceResult]]) -> str:
    """The page about these results.

    Args:
        results: each with the name of its source, such as a file.

    Returns:
        HTML that needs nothing else; all that comes from the results is escaped in it.

    Raises:
        ImportError: Altair, Jinja2 or vl-convert is not installed.
    """
    jinja2 = _jinja2()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [
        section(f"result-{place}", source, result) for place, (source, result) in enumerate(results, 1)
    ]
    has_charts = any(each.charts for each in sections)
    scripts = {name: _asset(f"{name}.js") for name in ("theme", "page")}
    if has_charts:
        from primerace.report.charts import vega

        scripts["vega"] = vega.script()
    text: str = environment.get_template("page.html").render(
        title=sections[0].title if len(sections) == 1 else f"{len(sections)} results",
        sections=sections,
        comparison=compared(results),
        sources=", ".join(each.source for each in sections),
        version=version("primerace"),
        style=_asset("page.css"),
        scripts=scripts,
        hashes=hashes(scripts.values()),
        config=_both(theme.config(), theme.config(dark=True)) if has_charts else None,
    )
    return text


def _jinja2() -> Any:
    """What fills in the templates.

    Raises:
        ImportError: it is not installed; the message names the extra.
    """
    try:
        return import_module("jinja2")
    except ImportError:
        raise ImportError("the page needs jinja2: pip install 'primerace[plot]'") from None


def _both(light: Any, dark: Any) -> Any:
    """One configuration for both themes: the browser chooses between colours, as it does in the style."""
    if isinstance(light, dict):
        return {key: _both(light[key], dark[key]) for key in light}
    if isinstance(light, list):
        return [_both(*pair) for pair in zip(light, dark, strict=True)]
    return light if light == dark else f"light-dark({light}, {dark})"


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")

"""A result in a notebook: what was found, a chart and a table, without any script.

The chart is an image within the page, so that nothing in it can run and a saved notebook keeps it.
"""

import base64
from collections.abc import Iterator
from html import escape

from primerace.report import plot, rows
from primerace.report.findings import findings
from primerace.report.heading import counted
from primerace.report.notes import notes
from primerace.results import RaceResult


def fragment(result: RaceResult) -> str:
    """HTML of a result for the output of a notebook's cell; all that comes from the result is escaped.

    Args:
        result: a race or a sweep. Its chart is shown where Altair and vl-convert are installed.
    """
    return f"<div>{''.join((_heading(result), _sentences(result), _chart(result), _table(result)))}</div>"


def _heading(result: RaceResult) -> str:
    count = counted(result.rounds, "round")
    return f"<p><strong>{escape(result.kind)}: {escape(result.job['name'])}</strong>, {count}</p>"


def _sentences(result: RaceResult) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in _said(result)) + "</ul>"


def _said(result: RaceResult) -> Iterator[str]:
    yield from findings(result)
    for kind, subject, words in notes(result):
        yield f"{kind} {subject}: {words}" if subject else f"{kind} {words}".strip()


def _chart(result: RaceResult) -> str:
    try:
        first = next(plot.figures(result), None)
    except ImportError:
        return ""
    if first is None:
        return ""
    image = base64.b64encode(plot.picture(result, first, "svg")).decode()
    about = escape(f"{first.title}. {first.caption}")
    return f'<img alt="{about}" style="max-width: 100%" src="data:image/svg+xml;base64,{image}">'


def _table(result: RaceResult) -> str:
    columns, lines = rows.race_table(result)
    heads = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"

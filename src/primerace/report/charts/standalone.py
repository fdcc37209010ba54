"""A chart as a page of its own: it holds Vega and the data, and its own policy forbids every request."""

import json
from html import escape
from string import Template
from typing import Any

from primerace.report.charts import vega

# What a browser may do here: run and style what stands in the page, and nothing else. Vega's expressions are
# interpreted (`ast`), so that even `eval` stays forbidden.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>$title</title>
<style>body { margin: 0; background: $background; overflow-x: auto }</style>
</head>
<body>
<div id="chart"></div>
<script>$vega</script>
<script>
vegaEmbed("#chart", $specification, { ast: true, renderer: "svg", actions: false });
</script>
</body>
</html>
""")


def page(specification: dict[str, Any], title: str) -> str:
    """HTML that shows a chart and loads nothing.

    Args:
        specification: the chart in Vega-Lite.
        title: of the page.
    """
    return PAGE.substitute(
        policy=POLICY,
        title=escape(title),
        background=specification.get("config", {}).get("background", "transparent"),
        vega=vega.script(),
        specification=_inside_script(specification),
    )


def _inside_script(data: Any) -> str:
    """JSON in which no text can end the script that it stands in."""
    return json.dumps(data).replace("<", "\\u003c")

"""A chart as a page of its own: it holds Vega and the data, and its own policy forbids every request."""

import json
from html import escape
from string import Template
from typing import Any

from primerace.report.charts import vega
from primerace.report.policy import hashes

# What a browser may do here: run the two scripts of the page and style what stands in it, and nothing else.
# Vega's expressions are interpreted (`ast`), so that even `eval` stays forbidden.
POLICY = "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src data:"

DRAW = Template("""
vegaEmbed("#chart", $specification, { ast: true, renderer: "svg", actions: false }).catch((error) => {
  document.querySelector("#chart").textContent = "This chart could not be drawn: " + error.message;
});
""")

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
<script>$draw</script>
</body>
</html>
""")


def page(specification: dict[str, Any], title: str) -> str:
    """HTML that shows a chart and loads nothing.

    Args:
        specification: the chart in Vega-Lite.
        title: of the page.
    """
    library = vega.script()
    draw = DRAW.substitute(specification=_inside_script(specification))
    return PAGE.substitute(
        policy=POLICY.format(hashes([library, draw])),
        title=escape(title),
        background=specification.get("config", {}).get("background", "transparent"),
        vega=library,
        draw=draw,
    )


def _inside_script(data: Any) -> str:
    """JSON in which no text can end the script that it stands in."""
    return json.dumps(data).replace("<", "\\u003c")

"""How Sphinx makes the site of these pages: `make docs`.

The pages read the same on a code-hosting site: their links are relative paths, also to files that are no
pages, which the site offers as downloads.
"""

import shutil
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

project = "primerace"
author = copyright = "The primerace authors"
release = version = version_of("primerace")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
root_doc = "index"
highlight_language = "text"
default_role = "code"  # what docstrings put between single backquotes
smartquotes = False  # they would make one dash of the two before an option

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False

# Types of other packages, whose pages this site does not have.
nitpick_ignore_regex = [("py:.*", r"(collections|pathlib|typing|numpy)\..*")]

html_theme = "furo"
html_title = f"primerace {release}"
html_copy_source = html_show_sphinx = False

HERE = Path(__file__).parent


def setup(app: Sphinx) -> None:
    app.connect("build-finished", copy_example_pages)


def copy_example_pages(app: Sphinx, exception: Exception | None) -> None:
    """Put the pages that primerace made where the links of the other pages expect them."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(HERE / "examples", Path(app.outdir, "examples"), dirs_exist_ok=True)

"""The pages for people: their links lead somewhere, on the site and without it, and their commands exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
LINK = re.compile(r"""\]\(([^)\s]+)\)|(?:href|src|srcset)=["']([^"']+)["']""")


def anchor(heading):
    """What a heading is called in links to it, on the site and on code-hosting sites."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def anchors(page):
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for found in LINK.findall(page.read_text("utf-8")):
        path, _, heading = "".join(found).partition("#")
        if path.startswith(("http:", "https:")):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT)
        assert target.exists(), path
        if heading:
            assert heading in anchors(target), f"{path}#{heading}"


def test_every_page_is_in_the_contents():
    contents = re.findall(
        r"```\{toctree\}\n(.*?)```", (ROOT / "docs" / "index.md").read_text("utf-8"), re.DOTALL
    )
    names = [line for block in contents for line in block.splitlines() if line and not line.startswith(":")]
    assert sorted(names) == sorted(page.stem for page in DOCS if page.stem != "index")


def test_every_module_is_on_the_map():
    """Commands, spinners and charts are one a file, and not listed."""
    written = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    modules = [path for path in (ROOT / "src" / "primerace").rglob("*.py") if not path.name.startswith("__")]
    listed = [path for path in modules if path.parent.name not in ("cli", "spinners", "charts")]
    assert [path.name for path in listed if not re.search(rf"\b{path.stem}\b", written)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    """Every target of make, session of nox and file in tools/ that a page names."""
    text = page.read_text("utf-8")
    makefile, noxfile = ((ROOT / name).read_text("utf-8") for name in ("Makefile", "noxfile.py"))
    sessions = {name.replace("_", "-") for name in re.findall(r"^def (\w+)\(session", noxfile, re.MULTILINE)}
    for target in re.findall(r"`make ([a-z-]+)|^    make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target
    for session in re.findall(r"nox -s ([\w-]+?)(?:-3\.\d+)?(?=[`\s,])", text):
        assert session.replace("_", "-") in sessions, session
    for tool in re.findall(r"\btools/[\w./-]*\w", text):
        assert (ROOT / tool).exists(), tool

"""Type what docs/tutorial.md tells to type, and write what it printed back into the page.

    python tools/tutorial.py           run all of it in a folder of its own; the page stays as it is
    python tools/tutorial.py --write   and put the output below each command, unless the machine was busy

The page is written whatever the figures are, provided that other programs left the processor alone: a race
among them would show what they took, and no run may be chosen by its result.

A `console` block is a row of commands, each behind `$ `, with the output below; a `python` block that is no
dialogue is the file that the text before it names.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

MOST_OTHERS = 0.05  # of the machine's processor time, used by other programs meanwhile

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"Save this as `([\w.]+)`:\n\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class CommandFailed(Exception):
    """A command of the page ended with an error; the message is what it said."""


def typed(page: str, folder: Path, instead: Mapping[str, str] | None = None) -> str:
    """The page with the output of its commands, as they run one after the other in this folder.

    Args:
        page: its text.
        folder: where its files are saved and its commands run.
        instead: words of the page, and what to type instead of them, to save time.

    Raises:
        CommandFailed: one of them failed.
    """
    for name, content in FILE.findall(page):
        (folder / name).write_text(_replaced(content, instead))
    return CONSOLE.sub(lambda block: _answered(block.group(), folder, instead), page)


def _answered(block: str, folder: Path, instead: Mapping[str, str] | None) -> str:
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    outputs = [_output(_replaced(command, instead), folder) for command in commands]
    return "".join(f"$ {command}\n{output}" for command, output in zip(commands, outputs, strict=True))


def _output(command: str, folder: Path) -> str:
    """What a command prints, without blanks at the ends of lines and blank lines at both ends."""
    words = command.replace("primerace ", f"{sys.executable} -m primerace ", 1)
    done = subprocess.run(words, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"{command}\n{done.stderr}")
    lines = "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")
    return lines + "\n" if lines else ""


def _replaced(text: str, instead: Mapping[str, str] | None) -> str:
    for words, other in (instead or {}).items():
        text = text.replace(words, other)
    return text


def clock() -> tuple[float, float]:
    """All processor seconds of this machine, and those in which others than we and our children computed."""
    total, own = psutil.cpu_times(), psutil.Process().cpu_times()
    ours = own.user + own.system + own.children_user + own.children_system
    seconds = sum(total) - getattr(total, "guest", 0.0) - getattr(total, "guest_nice", 0.0)  # counted twice
    return seconds, seconds - total.idle - getattr(total, "iowait", 0.0) - ours


def main() -> None:
    before = clock()
    with TemporaryDirectory() as folder:
        page = typed(PAGE.read_text(encoding="utf-8"), Path(folder))
    seconds, others = (after - earlier for after, earlier in zip(clock(), before, strict=True))
    share = others / seconds
    if sys.argv[1:] != ["--write"]:
        print(page)
    elif share > MOST_OTHERS:
        sys.exit(
            f"not written: other programs used {share:.0%} of the processor, more than {MOST_OTHERS:.0%}"
        )
    else:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

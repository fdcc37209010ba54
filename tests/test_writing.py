"""Where output goes: to a file as a whole, to a pipe or a device in its place, never over what is read."""

import os
import subprocess
import sys

import pytest
from pages import race

from primerace.cli import main
from primerace.loading import load
from primerace.report import exports
from primerace.writing import write_whole

WRITERS = [
    ("report", "-o"),
    ("show", "--csv"),
    ("show", "--markdown"),
    ("compare", "--csv"),
    ("compare", "--markdown"),
    ("export", "--pyperf"),
]


@pytest.fixture
def saved(tmp_path):
    race().save(tmp_path / "race.json")
    return tmp_path / "race.json"


def arguments(command, *files):
    return [command, *map(str, files), *map(str, files if command == "compare" else ())]


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(("command", "option"), WRITERS)
def test_a_result_is_not_written_over(command, option, link, saved, tmp_path, capsys):
    before = saved.read_bytes()
    target = tmp_path / "link" if link else saved
    if link:
        target.symlink_to(saved)
    assert main([*arguments(command, saved), option, str(target)]) == 2
    named = "--output" if option == "-o" else option
    assert capsys.readouterr() == (
        "",
        f"Error: {named} {target}: is one of the results; name another file\n",
    )
    assert saved.read_bytes() == before


def test_a_picture_is_not_drawn_over_its_result(tmp_path, capsys):
    path = tmp_path / "race.svg"
    race().save(path)
    assert main(["plot", str(path), "-o", str(path)]) == 2
    assert "is one of the results" in capsys.readouterr().err


def test_a_pipe_is_opened_once(saved, tmp_path):
    """Its reader takes the first closing for the end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "primerace", "show", str(saved), "--csv", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            assert pipe.read_text() == exports.csv_table(race())
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert pipe.is_fifo()


SAVE = "import sys; from primerace.loading import load; load(sys.argv[1]).save('/dev/stdout')"


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
def test_standard_output_by_its_name(saved):
    """A link to a pipe without a name."""
    command = [sys.executable, "-m", "primerace", "show", str(saved), "--csv", "/dev/stdout"]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert (shown.returncode, "Error" in shown.stderr) == (0, False)
    assert exports.csv_table(race()) in shown.stdout
    written = subprocess.run([sys.executable, "-c", SAVE, str(saved)], capture_output=True, check=True)
    assert written.stdout.decode() == load(saved).dumps() + "\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_what_was_there_outlives_a_full_disk(saved, tmp_path, capsys):
    target = tmp_path / "table.csv"
    target.write_text("old")
    (tmp_path / "table.csv.part").symlink_to("/dev/full")
    assert main(["show", str(saved), "--csv", str(target)]) == 2
    assert f"Error: --csv {target}: No space left" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert not (tmp_path / "table.csv.part").is_symlink()


def test_a_link_keeps_its_target(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_page_is_utf_8_on_any_standard_output(saved, encoding, tmp_path):
    """In other bytes its scripts would not have the hashes that its policy names."""
    pytest.importorskip("vl_convert", reason="the page needs vl_convert, of the extra plot")
    assert main(["report", str(saved), "-o", str(tmp_path / "page.html")]) == 0
    command = [sys.executable, "-m", "primerace", "report", str(saved), "-o", "-"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    page = subprocess.run(command, capture_output=True, env=environment, check=True).stdout
    assert page == (tmp_path / "page.html").read_bytes()

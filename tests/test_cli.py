"""The command line: what it prints, its exit codes, and never a traceback."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import product

import psutil
import pytest
from command_line import primerace
from watching import descendants, gone, interrupt, start

from primerace.cli import command, main, options
from primerace.job import BOOK, QUICK
from primerace.kernels import KERNELS
from primerace.racers import CORE, RACERS

# Output that is buffered, as most users have it, fails later than output that is not.
os.environ.pop("PYTHONUNBUFFERED", None)

QUICK_RACE = ("race", "--rounds", "1", "--racers", "sequential,threads", "--kernels", "held")
COMMANDS = list(command.commands)


def fails(*arguments, code=2, **options):
    """What it says on standard error, where it must end with this code and print nothing."""
    done = primerace(*arguments, **options)
    assert done.returncode == code
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words))
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(in_process, words, option):
    code, output, errors = in_process(*words, option)
    assert (code, errors) == (0, "")
    assert output.startswith("Usage: primerace")


def test_version():
    first, *facts = primerace("--version").stdout.splitlines()
    assert re.fullmatch(r"primerace, version \d+\.\d+\S*", first)
    assert first.endswith(version("primerace"))
    assert {fact[:15].rstrip() for fact in facts} >= {"Python", "CPU", "compiled by", "instruction set"}


def test_nothing_at_all_is_help():
    done = primerace()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


class TestRun:
    @pytest.mark.parametrize("racer", list(RACERS))
    def test_shows_every_number(self, racer):
        reason = RACERS[racer]().available()
        if reason is not None:
            pytest.skip(f"{racer}: {reason}")
        kernel = "released" if RACERS[racer].kernels is None else max(RACERS[racer].kernels)
        done = primerace("run", "--racer", racer, "--kernel", kernel, "--items", "quick", "--workers", "2")
        assert (done.returncode, done.stderr) == (0, "")
        *lines, total = done.stdout.splitlines()
        shown = {}
        for line in lines:
            number, mark = re.fullmatch(r" *(\d+)  ([P ]) +\d+\.\d{6}s", line).groups()
            shown[int(number)] = mark == "P"
        assert shown == QUICK
        workers = "1 worker" if RACERS[racer].single else "2 workers"
        assert re.fullmatch(rf"20 checks by {racer}/{kernel} with {workers}: \d+\.\d{{3}}s", total)

    def test_runs_the_book_by_default(self):
        done = primerace("run", "--kernel", "held", "--racer", "sequential")
        assert len(done.stdout.splitlines()) == 21
        assert all(str(n) in done.stdout for n in BOOK)

    @pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
    def test_start_method(self, method):
        done = primerace(
            "run", "--racer", "processes", "--kernel", "held", "--items", "quick", "--start-method", method
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_items_from_standard_input(self):
        done = primerace("run", "--kernel", "held", "--items", "-", text="7\n9 # nine\n\n")
        assert done.returncode == 0
        assert done.stdout.startswith("7  P ")

    def test_item_beyond_the_kernel(self):
        done = primerace("run", "--kernel", "held", "--items", "-", text=f"7\n{2**64}\n")
        assert done.returncode == 1
        assert "Error: sequential: item 1 (18446744073709551616) raised OverflowError" in done.stderr


class TestUsage:
    def test_unknown_names_list_the_known(self):
        assert f"known are {', '.join(RACERS)}" in fails("run", "--racer", "thread")
        assert "did you mean 'threads'?" in fails("run", "--racer", "thread")
        assert "known are python, held, released" in fails("run", "--kernel", "pyhton")
        assert "known are sequential" in fails("race", "--racers", "sequential,nobody")
        assert "known are python" in fails("race", "--kernels", "nothing")
        assert "known are python" in fails("check", "7", "--kernel", "nothing")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("walk",),
            ("run", "--workers", "0"),
            ("run", "--workers", "-1"),
            ("run", "--workers", "many"),
            ("run", "--start-method", "teleport"),
            ("race", "--rounds", "0"),
            ("race", "--rounds", "1.5"),
            ("race", "--seconds", "0"),
            ("race", "--seconds", "soon"),
            ("race", "--seed", "-1"),
            ("race", "--order", "random"),
            ("race", "--racers", ""),
            ("race", "--racers", ","),
            ("race", "--racers", "all,thraeds"),
            ("run", "--racer", "asyncio-nap", "--kernel", "held"),
            ("race", "--kernels", " "),
            (
                "race",
                "--nonsense",
            ),
            ("race", "extra"),
            ("check",),
            ("check", "seven"),
            ("check", "7.0"),
            ("check", ""),
            ("check", "--nonsense"),
            ("check", "--kernel", "held", str(2**64)),
        ],
        ids=lambda arguments: " ".join(arguments)[:30],
    )
    def test_is_two(self, in_process, arguments):
        code, output, errors = in_process(*arguments)
        assert (code, output) == (2, "")
        assert "Error: " in errors or "Usage: " in errors

    def test_missing_file(self):
        assert "neither a sample (book, quick) nor a file" in fails("run", "--items", "nowhere.txt")

    def test_name_too_long(self):
        assert "neither a sample" in fails("run", "--items", "n" * 300)

    def test_directory(self, tmp_path):
        assert "directory" in fails("race", "--items", str(tmp_path))

    def test_bad_line_is_named_and_nothing_runs(self, tmp_path):
        path = tmp_path / "items.txt"
        path.write_text("7\nnine\n")
        assert f"{path}, line 2: not an integer: 'nine'" in fails("run", "--items", str(path))

    def test_file_that_is_not_text(self, tmp_path):
        path = tmp_path / "items.txt"
        path.write_bytes(b"7\n\xff\n")
        assert "not a UTF-8 text" in fails("race", "--items", str(path))

    def test_empty_input(self):
        assert "no number" in fails("run", "--items", "-", text="")

    def test_closed_input(self):
        assert "no number" in fails("run", "--items", "-", preexec_fn=lambda: os.close(0))

    @pytest.mark.parametrize("option", ["--json", "--csv", "--markdown"])
    def test_file_that_cannot_be_written_is_an_error_before_the_race(self, tmp_path, option):
        for path in (tmp_path, tmp_path / "nowhere" / "file"):
            message = fails(*QUICK_RACE, option, str(path))
            assert message.startswith(f"Error: {option} {path}: ")
            assert "warming up" not in message

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    def test_full_disk(self):
        done = primerace(*QUICK_RACE, "--json", "/dev/full")
        assert done.returncode == 2
        assert "Error: --json /dev/full: No space left" in done.stderr
        assert "threads" in done.stdout
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "primerace", "run", "--kernel", "held", "--items", "quick"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


class TestRace:
    def test_prints_one_table(self):
        done = primerace(*QUICK_RACE)
        assert done.returncode == 0
        assert "1 round," in done.stderr
        assert "expected to take" in done.stderr
        assert re.search(r"sequential +held +1 ", done.stdout)
        assert re.search(r"threads +held ", done.stdout)
        assert "No intervals and no findings below 6 rounds" in done.stdout

    def test_json_alone_on_standard_output(self):
        done = primerace(*QUICK_RACE, "--seed", "3", "--json", "-")
        data = json.loads(done.stdout)
        assert data["schema"] == "primerace/1"
        assert data["job"]["seed"] == 3
        assert [entry["speedup"] for entry in data["entries"]] == [None, None]
        assert "sequential" in done.stderr

    def test_json_file(self, tmp_path):
        path = tmp_path / "race.json"
        path.write_text("old")
        done = primerace(*QUICK_RACE, "--json", str(path), "--workers", "3", "--start-method", "spawn")
        data = json.loads(path.read_text())
        assert {lap["racer"]: lap["workers"] for lap in data["laps"]} == {"sequential": 1, "threads": 3}
        assert data["machine"]["start_method"] == "spawn"
        assert "threads" in done.stdout

    def test_disqualified_is_one(self):
        done = primerace(
            "race", "--rounds", "1", "--racers", "sequential", "--items", "-", "--kernels", "python,held",
            text=f"{2**64}\n",
        )  # fmt: skip
        assert done.returncode == 1
        assert "disqualified sequential/held" in done.stdout

    def test_core_by_default_and_a_word_about_the_others(self, in_process):
        code, output, errors = in_process("race", "--rounds", "1", "--kernels", "held", "--json", "-")
        assert code == 0
        assert {entry["racer"] for entry in json.loads(output)["entries"]} == set(CORE)
        others = [name for name in RACERS if name not in CORE]
        assert errors.splitlines()[0] == f"--racers all races {', '.join(others)} as well"

    def test_all(self, in_process):
        code, output, errors = in_process(
            "race", "--rounds", "1", "--kernels", "held", "--racers", "all", "--json", "-"
        )
        data = json.loads(output)
        named = {entry["racer"] for entry in data["entries"]}
        missing = {each["racer"]: each["reason"] for each in data["unavailable"]}
        assert code == 0
        assert named | set(missing) == set(RACERS)
        assert missing["asyncio-nap"] == "only with kernel python"
        assert "--racers all" not in errors

    @pytest.mark.parametrize("value", ["all", "all,threads", "threads, all"])
    def test_all_takes_in_those_that_are_named_as_well(self, value):
        assert set(options.field(None, None, value)) == set(RACERS)

    def test_longest_first(self):
        done = primerace(*QUICK_RACE, "--order", "longest-first", "--json", "-")
        assert json.loads(done.stdout)["job"]["order"] == "longest-first"


def test_racers_lists_all():
    done = primerace("racers")
    assert done.returncode == 0
    for name in [*RACERS, *KERNELS]:
        assert re.search(rf"^  {name} +\S", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_check(kernel):
    done = primerace("check", "2", "9", "-7", "65537", "--kernel", kernel)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2 is prime\n9 is not prime\n-7 is not prime\n65537 is prime\n"


@pytest.mark.parametrize(
    "arguments",
    [("run", "--kernel", "held", "--items", "quick"), ("racers",), QUICK_RACE, ("check", *"23456789" * 1000)],
    ids=["run", "racers", "race", "check"],
)
def test_reader_that_leaves(arguments):
    """As in `primerace ... | head -1`."""
    process = start("-m", "primerace", *arguments)
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(timeout=20) == 0
    process.stderr.close()


def close_input_and_output():
    os.close(0)
    os.close(1)


@pytest.mark.parametrize("racer", ["processes", "gunicorn"])
def test_race_without_standard_streams(tmp_path, racer):
    """What is opened in their place must not become those of a process that is started."""
    if reason := RACERS[racer]().available():
        pytest.skip(reason)
    path = tmp_path / "race.json"
    choice = ("--racers", racer, "--kernels", "released", "--rounds", "1", "--json", str(path))
    done = primerace("race", *choice, preexec_fn=close_input_and_output)
    assert done.returncode == 0, done.stderr
    assert [lap["racer"] for lap in json.loads(path.read_text())["laps"]] == [racer]


@pytest.mark.parametrize("columns", [10, 40])
def test_narrow_terminal(columns):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    command_line = [sys.executable, "-m", "primerace", *QUICK_RACE]
    process = subprocess.Popen(command_line, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            output += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=20) == 0
    assert b"Traceback" not in output
    assert b"expected" in output


LONG = "9999999999999917\n" * 50  # seconds each in pure Python


INTERRUPTED = [
    *product(["processes", "process-pool"], ["fork", "forkserver", "spawn"]),
    *((name, "fork") for name in ("asyncio-processes", "gevent", "joblib") if not RACERS[name]().available()),
]


class TestInterrupt:
    """Ctrl-C, and what stops a service, in the middle of the work."""

    def begin(self, tmp_path, *arguments, until, stream="stdout", items=LONG):
        """Start it on long items and wait until it has printed this word."""
        path = tmp_path / "items.txt"
        path.write_text(items)
        process = start("-m", "primerace", *arguments, "--items", str(path))
        while until not in (line := getattr(process, stream).readline()):
            assert line
        return process, descendants(process.pid)

    @pytest.mark.parametrize(("racer", "method"), INTERRUPTED)
    def test_of_a_lap(self, tmp_path, racer, method):
        arguments = ("run", "--racer", racer, "--start-method", method, "--workers", "2")
        process, children = self.begin(tmp_path, *arguments, until="P", items=f"7\n{LONG}")
        assert len(children) >= (1 if racer == "gevent" else 2)
        interrupt(process)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert errors.splitlines()[-1] == "interrupted"
        assert "Traceback" not in errors
        assert gone(children)

    @pytest.mark.parametrize(
        "racer", ["sequential", "threads", "thread-pool", "asyncio", "asyncio-nap", "asyncio-threads"]
    )
    def test_of_a_lap_in_process(self, tmp_path, racer):
        """A thread can't be stopped in the middle of an item, so these are short."""
        process, _ = self.begin(
            tmp_path,
            "run",
            "--racer",
            racer,
            "--workers",
            "2",
            until="P",
            items="7\n" + "25000000000013\n" * 500,
        )
        interrupt(process)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (130, "interrupted\n")

    @pytest.mark.parametrize("racers", ["sequential", "sequential,processes,process-pool"])
    def test_of_a_race_prints_the_partial_table(self, tmp_path, racers):
        arguments = ("race", "--racers", racers, "--kernels", "held", "--workers", "2", "--seconds", "60")
        path = tmp_path / "race.json"
        process, _ = self.begin(
            tmp_path,
            *arguments,
            "--json",
            str(path),
            until="expected",
            stream="stderr",
            items="25000000000013\n",
        )
        time.sleep(1)
        children = descendants(process.pid)
        interrupt(process)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert re.search(r"sequential +held", output)
        assert re.search(r"interrupted after \d+ laps: the table is partial", errors)
        assert "Traceback" not in errors
        assert json.loads(path.read_text())["laps"]
        assert gone(children)

    def test_of_the_warm_up(self, tmp_path):
        process, _ = self.begin(tmp_path, "race", until="warming", stream="stderr")
        time.sleep(0.1)
        interrupt(process)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "interrupted after 0 laps" in errors
        assert "Traceback" not in output + errors

    @pytest.mark.parametrize("racer", ["processes", "process-pool"])
    def test_termination(self, tmp_path, racer):
        arguments = ("run", "--racer", racer, "--workers", "2")
        process, children = self.begin(tmp_path, *arguments, until="P", items=f"7\n{LONG}")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 143
        assert "Traceback" not in errors
        assert gone(children)

    @pytest.mark.parametrize("racer", ["processes", "process-pool"])
    def test_worker_killed(self, tmp_path, racer):
        arguments = ("run", "--racer", racer, "--workers", "2", "--start-method", "fork")
        process, children = self.begin(tmp_path, *arguments, until="P", items=f"7\n{LONG}")
        victim = psutil.Process(children[0].pid)
        time.sleep(0.1)
        begin = time.monotonic()
        victim.kill()
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - begin < 5
        assert process.returncode == 1
        assert re.search(rf"{racer}: worker \d died \(killed by SIGKILL\); items in flight: item \d", errors)
        assert gone(children)


def test_check_takes_numbers_of_any_length(capsys):
    limit = sys.get_int_max_str_digits()
    assert main(["check", "9" * 5000]) == 0
    assert capsys.readouterr().out == f"{'9' * 5000} is not prime\n"
    assert sys.get_int_max_str_digits() == limit

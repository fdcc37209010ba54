"""The spinners: who keeps spinning and who freezes, and what the terminal gets to see."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial

import pytest
from command_line import primerace
from paces import LARGEST, prime_for, seconds_of
from watching import descendants, eventually, gone, interrupt, start

from primerace import is_prime, napping, next_prime
from primerace.cli import main, quiz
from primerace.heartbeat import Rhythm
from primerace.machine import gil_enabled
from primerace.report.spinning import sentences, verdict
from primerace.spinners import MODELS
from primerace.spinners.line import FRAMES, Line
from primerace.spinners.observing import Spin, observe, seconds_alone
from primerace.spinners.work import FUNCTIONS, NUMBERS, Work

os.environ.pop("PYTHONUNBUFFERED", None)

pytestmark = pytest.mark.alone

SECONDS = 0.7  # of a call: seven frames are due
CONTROL = re.compile(r"[\r\x1b\x07\x08]")

SPINNING = [
    ("process", "python"),
    ("thread", "python"),
    ("thread", "released"),
    ("coroutine", "sleep"),
    ("coroutine-nap", "python"),
    ("to-thread", "released"),
    ("executor-process", "held"),
    ("interpreter", "held"),
]
FROZEN = [
    ("thread", "held"),
    ("coroutine", "python"),
    ("coroutine", "released"),
    ("coroutine-broken", "sleep"),
    ("to-thread", "held"),
]
with_gil = pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is held")


@pytest.fixture
def nowhere():
    with open(os.devnull, "w") as stream:
        yield Line.on(stream, "testing")


def seen(model, busy, line):
    reason = MODELS[model].unavailable()
    if reason:
        pytest.skip(f"{model}: {reason}")
    return observe(model, Work(busy, SECONDS if busy == "sleep" else prime_for(busy, SECONDS)), line)


@pytest.mark.parametrize(("model", "busy"), SPINNING)
def test_keeps_spinning(model, busy, nowhere):
    """On a quiet machine no frame is lost and no gap twice the interval; a loaded one may lose some."""
    spun = seen(model, busy, nowhere)
    assert spun.answer is (None if busy == "sleep" else True)
    assert spun.rhythm.beats >= spun.rhythm.due / 2
    assert spun.rhythm.longest_gap_seconds < spun.busy_seconds / 2
    assert spun.frozen is False


@pytest.mark.parametrize(
    ("model", "busy"),
    [pytest.param(*pair, marks=[with_gil] if pair[1] == "held" else []) for pair in FROZEN],
)
def test_freezes_for_the_whole_call(model, busy, nowhere):
    frozen = seen(model, busy, nowhere)
    assert frozen.answer is (None if busy == "sleep" else True)
    assert frozen.rhythm.beats <= 1
    assert frozen.rhythm.longest_gap_seconds >= 0.9 * frozen.busy_seconds
    assert frozen.frozen is True


def test_naps_cost_time(monkeypatch, nowhere):
    """With a nap every 20 divisions the price is seen through any noise; at 50,000 it is some percent."""
    monkeypatch.setattr(napping, "DIVISIONS", 20)
    work = Work("python", next_prime(10**13))
    assert observe("coroutine-nap", work, nowhere).busy_seconds > 1.5 * seconds_alone(work)


def test_every_model_says_what_it_takes():
    assert {busy for model in MODELS.values() for busy in model.busy} == set(FUNCTIONS)


@pytest.mark.parametrize("n", set(NUMBERS.values()))
def test_default_numbers_are_prime(n):
    assert is_prime(n)


spin = partial(primerace, "spin")


class TestPlain:
    """Where the output is no terminal."""

    @pytest.mark.parametrize(
        ("model", "kind"),
        [
            ("thread", "Thread"),
            ("process", "Process"),
            ("coroutine-nap", "Task"),
            ("executor-process", "Task"),
        ],
    )
    def test_has_no_control_characters(self, model, kind):
        seconds = [] if model == "coroutine-nap" else ["--seconds", "0.3"]
        n = ["--n", "1000000000039"] if model == "coroutine-nap" else []
        done = spin("--model", model, *seconds, *n)
        assert (done.returncode, done.stderr) == (0, "")
        assert not CONTROL.search(done.stdout)
        first, line, answer, progress, *sentences = done.stdout.splitlines()
        assert re.match(rf"spinner object: <\w*{kind}\b", first)
        message = "is 1000000000039 prime?" if n else "sleeping 0.3 s"
        assert re.fullmatch(rf"{re.escape(message)} \.*", line)
        assert answer == ("Answer: 1000000000039 is prime" if n else "Answer: slept 0.3 s")
        assert progress.startswith("measuring")
        assert re.match(rf"{model}, busy with \w+: frames drawn \d+ of \d+ due", sentences[0])
        assert re.search(r"median .*s, 99% up to .*s, longest .*s", sentences[1])
        assert re.search(r"took .*s with the spinner, .*s without", sentences[2])

    def test_has_a_dot_for_each_frame(self):
        done = spin("--seconds", "0.55")
        dots = done.stdout.splitlines()[1].count(".") - 1
        assert 2 <= dots <= 6
        assert f"frames drawn {dots} of 6 due" in done.stdout

    def test_json_alone_on_standard_output(self):
        done = spin("--model", "thread", "--busy", "python", "--n", "1000000000039", "--json", "-")
        data = json.loads(done.stdout)
        assert (data["model"], data["busy"], data["n"], data["answer"]) == (
            "thread",
            "python",
            1000000000039,
            True,
        )
        assert 0 < data["median_gap_seconds"] <= data["p99_gap_seconds"] <= data["longest_gap_seconds"]
        assert data["busy_seconds"] > 0
        assert data["busy_seconds_alone"] > 0
        assert 0 <= data["frames_drawn"] <= data["frames_due"]
        assert data["machine"]["python"]
        assert "spinner object: <Thread" in done.stderr

    def test_json_file(self, tmp_path):
        path = tmp_path / "spin.json"
        done = spin("--model", "coroutine", "--seconds", "0.6", "--json", str(path))
        data = json.loads(path.read_text())
        assert (data["n"], data["seconds"], data["answer"]) == (None, 0.6, None)
        assert f"frames drawn {data['frames_drawn']} of 6 due" in done.stdout

    @pytest.mark.parametrize("model", ["thread", "process", "to-thread"])
    def test_reader_that_leaves(self, model, begin):
        """As in `primerace spin | head -1`."""
        process = begin("--model", model, "--seconds", "0.5")
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=20) == 0
        process.stderr.close()

    def test_closed_output(self):
        done = spin("--seconds", "0.1", preexec_fn=lambda: os.close(1))
        assert done.returncode == 2
        assert "standard output is closed" in done.stderr

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "primerace", "spin", "--seconds", "0.1"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (2, "Error: [Errno 28] No space left on device\n")


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, *arguments, term="xterm"):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "primerace", "spin", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": term},
        )
        os.close(theirs)
        self.shown = ""

    def read_until(self, text):
        while text not in self.shown:
            self.shown += os.read(self.ours, 1 << 16).decode()

    def read_to_the_end(self):
        try:
            while chunk := os.read(self.ours, 1 << 16).decode():
                self.shown += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(self.ours)
        assert "Traceback" not in self.shown
        return self.process.wait(timeout=20)


@pytest.fixture
def begin():
    """Starts the command; whatever the test finds, nothing is left running."""
    with ExitStack() as stack:

        def start_spinning(*arguments, **options):
            process = stack.enter_context(start("-m", "primerace", "spin", *arguments, **options))
            stack.callback(process.kill)
            return process

        yield start_spinning


def settled(process, count):
    """Its children, once there are that many and stay: a fork server may be taken for one at first."""
    assert eventually(lambda: len(descendants(process.pid)) == count)
    time.sleep(0.3)
    assert eventually(lambda: len(descendants(process.pid)) == count)
    return descendants(process.pid)


HIDE, SHOW, CLEAR = "\x1b[?25l", "\x1b[?25h", "\r\x1b[K"


class TestTerminal:
    @pytest.mark.parametrize("model", ["thread", "process", "coroutine"])
    def test_draws_in_one_line_and_clears_it(self, model):
        terminal = Terminal("--model", model, "--seconds", "0.75")
        assert terminal.read_to_the_end() == 0
        before, rest = terminal.shown.split(HIDE)
        drawn, after = rest.split(CLEAR + SHOW)
        assert before.startswith("spinner object: <")
        assert after.startswith("Answer: slept 0.75 s\r\n")
        assert "\x1b" not in before + drawn + after
        frames = drawn.split("\r")[1:]
        assert frames == [f"{FRAMES[turn % 4]} sleeping 0.75 s" for turn in range(len(frames))]
        assert 4 <= len(frames) <= 8

    def test_shows_nothing_of_a_spinner_that_never_appears(self):
        terminal = Terminal("--model", "coroutine-broken", "--seconds", "0.3")
        assert terminal.read_to_the_end() == 0
        assert HIDE + CLEAR + SHOW in terminal.shown

    def test_that_is_dumb_gets_no_control_characters(self):
        terminal = Terminal("--seconds", "0.3", term="dumb")
        assert terminal.read_to_the_end() == 0
        assert not CONTROL.search(terminal.shown.replace("\r\n", "\n"))
        assert re.search(r"^sleeping 0\.3 s \.+$", terminal.shown.replace("\r\n", "\n"), re.MULTILINE)

    @pytest.mark.parametrize(("columns", "room"), [(20, 17), (80, 77), (0, 77)])
    def test_message_fits_into_one_line(self, monkeypatch, columns, room):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
        ours, theirs = pty.openpty()
        with open(theirs, "w") as stream, open(ours):
            assert Line.on(stream, "m" * 5000).message == "m" * room

    @pytest.mark.parametrize(
        ("model", "busy", "number", "code"),
        [
            ("thread", "held", signal.SIGINT, 130),
            ("process", "released", signal.SIGINT, 130),
            ("coroutine", "held", signal.SIGINT, 130),
            ("coroutine", "sleep", signal.SIGINT, 130),
            ("to-thread", "python", signal.SIGINT, 130),
            ("executor-process", "python", signal.SIGINT, 130),
            ("process", "python", signal.SIGTERM, 143),
            ("coroutine", "sleep", signal.SIGTERM, 143),
            ("to-thread", "released", signal.SIGTERM, 143),
        ],
    )
    def test_signal_ends_it_and_gives_the_cursor_back(self, model, busy, number, code):
        long = ["--seconds", "60"] if busy == "sleep" else ["--n", str(LARGEST)]
        terminal = Terminal("--model", model, "--busy", busy, *long)
        terminal.read_until(HIDE)
        try:
            children = settled(terminal.process, model in ("process", "executor-process"))
        except AssertionError:
            terminal.process.kill()
            raise
        begin = time.monotonic()
        if number == signal.SIGINT:
            os.killpg(terminal.process.pid, number)
        else:
            terminal.process.send_signal(number)
        assert terminal.read_to_the_end() == code
        assert time.monotonic() - begin < 0.8 * seconds_of("held", LARGEST)  # the shortest of these calls
        assert terminal.shown.rstrip().removesuffix("interrupted").endswith(CLEAR + SHOW)
        assert gone(children)


@pytest.mark.parametrize("model", ["process", "executor-process"])
def test_process_that_is_killed_is_an_error(model, begin):
    process = begin("--model", model, "--busy", "held", "--n", str(prime_for("held", 1.5)))
    assert "spinner object" in process.stdout.readline()
    (child,) = settled(process, 1)
    child.kill()
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert re.fullmatch(
        r"Error: the (spinner's process died \(killed by SIGKILL\)|worker died: .*)\n", errors
    )
    assert "Answer" not in output


def test_ignored_interrupt_stays_ignored(begin):
    """As of a command that runs under nohup, or in the background of a script."""
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    number = str(prime_for("python", SECONDS))
    process = begin("--model", "to-thread", "--busy", "python", "--n", number, preexec_fn=ignore)
    assert "spinner object" in process.stdout.readline()
    interrupt(process)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert f"Answer: {number} is prime" in output


@pytest.mark.parametrize("model", ["process", "executor-process"])
def test_no_child_outlives_its_parent(model, begin):
    process = begin("--model", model, "--busy", "python", "--n", str(LARGEST))
    assert "spinner object" in process.stdout.readline()
    children = settled(process, 1)
    process.kill()
    assert gone(children)
    process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model", "coroutine-nap", "--busy", "held"), "takes python"),
        (("--model", "coroutine-nap", "--busy", "sleep"), "takes python"),
        (("--model", "coroutine-broken", "--busy", "python"), "takes sleep"),
        (("--model", "thraed"), "'thraed' is not one of"),
        (("--busy", "fast"), "'fast' is not one of"),
        (("--seconds", "0"), "seconds"),
        (("--seconds", "-1"), "seconds"),
        (("--seconds", "nan"), "seconds"),
        (("--seconds", "soon"), "seconds"),
        (("--n", "7"), "--busy sleep has none"),
        (("--busy", "held", "--n", "7.0"), "--n"),
        (("--busy", "held", "--n", str(2**64)), "below 2**64"),
        (("--quiz", "--n", str(2**64)), "below 2**64"),
        (("--busy", "held", "--seconds", "2"), "--seconds is for --busy sleep"),
        (("--no-input",), "--no-input is for --quiz"),
        (("--quiz", "--model", "thread", "--json", "-"), "leave out --model, --json"),
        (("--json", "/nowhere/spin.json"), "--json /nowhere/spin.json: No such file"),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_usage(capsys, arguments, says):
    handler = signal.getsignal(signal.SIGTERM)
    assert main(["spin", *arguments]) == 2
    signal.signal(signal.SIGTERM, handler)
    output, errors = capsys.readouterr()
    assert output == ""
    assert "Error: " in errors
    assert says in errors


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="here the interpreter model can run")
def test_interpreters_say_what_they_need(capsys):
    assert main(["spin", "--model", "interpreter"]) == 2
    assert capsys.readouterr().err == "Error: interpreter can't run here: needs Python 3.14\n"


def made_up(gap, call=1.0, due=10):
    rhythm = Rhythm(due - 1, due, 0.1, gap, gap)
    return Spin("thread", Work("held", 97), True, rhythm, call)


class TestWords:
    @pytest.mark.parametrize(
        ("spun", "says"),
        [
            (made_up(0.99), "It froze: nothing moved for 990 ms in a call of 1.00 s."),
            (
                made_up(0.11),
                "It kept spinning: nothing stood still for longer than 110 ms in a call of 1.00 s.",
            ),
            (made_up(0.1, call=0.1, due=1), "The call took 100 ms: too short to tell whether it freezes."),
        ],
    )
    def test_of_the_verdict(self, spun, says):
        assert verdict(spun) == says
        assert list(sentences(spun, 0.5))[-1] == says

    def test_of_the_measurement(self):
        assert list(sentences(made_up(0.99), 0.5))[:3] == [
            "thread, busy with held: frames drawn 9 of 10 due",
            "gaps between frames: median 100 ms, 99% up to 990 ms, longest 990 ms",
            "the work took 1.00 s with the spinner, 500 ms without",
        ]


class TestQuiz:
    """With a number so small that nothing can be told, or with results that are made up."""

    def ask(self, monkeypatch, capsys, replies, frozen=lambda model, busy: False):
        monkeypatch.setattr(sys, "stdin", io.StringIO(replies))
        shown = []

        def show(model, work):
            shown.append((model, work.busy))
            return made_up(0.99 if frozen(model, work.busy) else 0.1)

        quiz.ask(None, True, show)
        return shown, capsys.readouterr().out

    def test_counts_the_right_answers(self, monkeypatch, capsys):
        replies = "y\nYES\n  n \nNo\ny\n"
        shown, output = self.ask(monkeypatch, capsys, replies, lambda model, busy: (model, busy) in FROZEN)
        assert shown == [
            ("process", "python"),
            ("thread", "python"),
            ("coroutine", "python"),
            ("thread", "held"),
            ("thread", "released"),
        ]
        assert output.count("You were right.") == 5
        assert output.endswith("Right answers: 5 of 5.\n")

    def test_counts_the_wrong_ones(self, monkeypatch, capsys):
        _, output = self.ask(monkeypatch, capsys, "n\nn\ny\ny\nn\n")
        assert output.count("You were wrong.") == 3
        assert output.endswith("Right answers: 2 of 5.\n")

    @pytest.mark.parametrize("end", ["q\n", "quit\n", ""])
    def test_ends_when_the_user_has_had_enough(self, monkeypatch, capsys, end):
        shown, output = self.ask(monkeypatch, capsys, f"y\n\nperhaps\n{end}")
        assert len(shown) == 1
        assert output.count("y, n, or q to quit: ") == 4
        assert output.count("neither yes nor no") == 2
        assert output.endswith("Right answers: 1 of 1.\n")

    def test_without_input_is_told(self):
        done = spin("--quiz", "--no-input", "--n", "7")
        assert (done.returncode, done.stderr) == (0, "")
        assert not CONTROL.search(done.stdout)
        assert re.findall(r"^(\d) of 5\. ", done.stdout, re.MULTILINE) == list("12345")
        assert done.stdout.count("Measured: The call took") == 5
        assert "Right answers" not in done.stdout

    def test_what_can_not_be_told_does_not_count(self):
        done = spin("--quiz", "--n", "7", text="y\n" * 5)
        assert done.returncode == 0
        assert done.stdout.endswith("No answer to count.\n")

    def test_with_its_input_closed(self):
        done = spin("--quiz", preexec_fn=lambda: os.close(0))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("No answer to count.\n")

    def test_interrupted(self):
        terminal = Terminal("--quiz", "--n", "7")
        terminal.read_until("to quit: ")
        os.killpg(terminal.process.pid, signal.SIGINT)
        assert terminal.read_to_the_end() == 130

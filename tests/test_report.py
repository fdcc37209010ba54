"""What the terminal shows: the whole table at any width, and no sentence that the rounds don't bear."""

import pytest
from laps import lap, result
from rich.console import Console

from primerace.report.rows import duration, number
from primerace.report.text import print_race


def shown(outcome, width=120, **options):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_race(outcome, console, **options)
    return console.export_text()


def rounds_of(count, faster=1.8):
    laps = []
    for n in range(count):
        slow = 1 + n / 10
        laps.append(lap(n, seconds=slow, walls=(slow / 2, slow / 2)))
        laps.append(lap(n, "threads", workers=2, seconds=slow / faster, walls=(slow / faster,) * 2))
    return result(laps, items=2)


def test_table_has_every_contestant():
    text = shown(rounds_of(6))
    assert [line for line in text.splitlines() if line.strip().startswith("threads")]
    assert [line for line in text.splitlines() if line.strip().startswith("sequential")]
    assert "1.80x" in text


def test_gain_is_stated_with_its_bound():
    text = shown(rounds_of(6))
    assert "1.80x" in text
    assert "2.00x" in text


@pytest.mark.parametrize("count", [1, 5])
def test_nothing_is_stated_below_six_rounds(count):
    text = shown(rounds_of(count))
    assert "No intervals and no findings below 6 rounds." in text
    assert "[1.8" not in text


def test_no_gain_is_stated_where_there_is_none():
    text = shown(rounds_of(6, faster=1.0))
    assert "Fastest" not in text


def test_one_round_is_singular():
    assert "1 round;" in shown(rounds_of(1))
    assert "2 rounds;" in shown(rounds_of(2))


@pytest.mark.parametrize("width", [20, 40, 80, 300])
@pytest.mark.parametrize("explain", [False, True])
def test_any_width(width, explain):
    assert max(map(len, shown(rounds_of(6), width, explain=explain).splitlines())) <= width


def test_disqualified_are_named_with_the_reason():
    laps = [lap(0), lap(0, "threads", workers=2)]
    text = shown(result(laps, disqualified={("threads", "held", 2): "item 0 [red](7)[/red] was lost"}))
    assert "disqualified threads/held: item 0 [red](7)[/red] was lost" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.0, "0.00 µs"),
        (1e-9, "0.00100 µs"),
        (0.00099951, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.99951, "1.00 s"),
        (1.0, "1.00 s"),
        (59.4, "59.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (75.5, "1 min 16 s"),
        (3600, "1 h 0 min"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(1.7834, "1.78"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (1234.5, "1234")]
)
def test_numbers(value, words):
    assert number(value) == words

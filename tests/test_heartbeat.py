"""The heartbeat: what the gaps say, and the freeze of each racer that a race shows on request."""

import csv
import io
import json
import re
import threading
import time
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laps import lap, result
from paces import prime_for
from test_schema import SCHEMA

from primerace.cli import main, options
from primerace.heartbeat import Heartbeat, Rhythm, gaps, percentile, until_next
from primerace.job import Job
from primerace.kernels import held, released
from primerace.loading import from_json
from primerace.machine import gil_enabled
from primerace.racers import RACERS
from primerace.racing import race
from primerace.report import exports
from primerace.report.rows import HEARTBEAT_COLUMNS, race_table
from primerace.report.text import print_race

pytestmark = pytest.mark.alone

with_gil = pytest.mark.skipif(not gil_enabled(), reason="without a GIL nothing is held")
times = st.floats(0, 1000)


class TestGaps:
    def test_both_ends_count(self):
        assert gaps([2.0, 3.0], 1.0, 7.0) == [1.0, 1.0, 4.0]

    def test_no_beat_is_one_gap(self):
        assert gaps([], 1.0, 7.0) == [6.0]

    def test_beats_outside_do_not_count(self):
        assert gaps([0.0, 2.0, 9.0], 1.0, 7.0) == [1.0, 5.0]

    @given(st.lists(times), times, times)
    def test_add_up_to_the_whole(self, stamps, begin, length):
        found = gaps(sorted(stamps), begin, begin + length)
        assert sum(found) == pytest.approx(length, abs=1e-9)
        assert min(found) >= 0


class TestPercentile:
    @pytest.mark.parametrize(
        ("share", "value"), [(0.001, 1), (0.07, 7), (0.14, 14), (0.55, 55), (0.99, 99), (1, 100)]
    )
    def test_is_the_nearest_rank(self, share, value):
        assert percentile(list(range(100, 0, -1)), share) == value

    @given(st.lists(times, min_size=1), st.floats(0.01, 1))
    def test_covers_that_share(self, values, share):
        found = percentile(values, share)
        assert found in values
        assert sum(value <= found for value in values) >= share * len(values) - 1e-9

    @pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0), ([1.0], 1.01), ([1.0], -1)])
    def test_impossible(self, values, share):
        with pytest.raises(ValueError, match="percentile|share"):
            percentile(values, share)


class TestRhythm:
    def test_of_a_steady_heart(self):
        rhythm = Rhythm.of([float(n) for n in range(10)], 0.0, 9.5, 1.0)
        assert (rhythm.beats, rhythm.due) == (10, 10)
        assert (rhythm.median_gap_seconds, rhythm.longest_gap_seconds) == (1.0, 1.0)

    def test_of_a_heart_that_never_beat(self):
        rhythm = Rhythm.of([], 5.0, 8.0, 1.0)
        assert (rhythm.beats, rhythm.due) == (0, 3)
        assert rhythm.median_gap_seconds == rhythm.p99_gap_seconds == rhythm.longest_gap_seconds == 3.0

    @pytest.mark.parametrize("late", [-0.001, 0.0, 0.001])
    def test_the_beat_that_is_due_at_the_end_does_not_count(self, late):
        """It may come just before the end or just after it: nobody would see it."""
        rhythm = Rhythm.of([0.0, 1.0, 2.0, 3.0], 0.0, 3.0 + late, 1.0)
        assert (rhythm.beats, rhythm.due) == (3, 3)

    def test_of_a_very_short_time(self):
        assert Rhythm.of([0.0], 0.0, 1e-9, 1.0).due == 1


class TestUntilNext:
    @given(st.floats(0, 100), st.floats(0, 100), st.floats(0.01, 10))
    def test_is_never_longer_than_an_interval_and_a_bit(self, first, later, interval):
        wait = until_next(first, first + later, interval)
        assert -1e-9 <= wait <= 1.1 * interval + 1e-9

    def test_delays_do_not_add_up(self):
        now = 0.0
        for _ in range(100):
            now += until_next(0.0, now, 0.1) + 0.03
        assert now == pytest.approx(10.03)


class TestHeartbeat:
    def test_beats_beside_a_sleep(self):
        with Heartbeat(0.01) as heart:
            time.sleep(0.5)
        rhythm = heart.rhythm()
        assert rhythm.due >= 49
        assert rhythm.beats >= rhythm.due / 2
        assert rhythm.longest_gap_seconds < 0.3

    @with_gil
    def test_stands_still_while_the_gil_is_held(self):
        large = prime_for("held", 0.6)
        with Heartbeat() as heart:
            started = time.perf_counter()
            assert held(large)
            seconds = time.perf_counter() - started
        assert heart.rhythm().longest_gap_seconds >= 0.9 * seconds

    def test_beats_while_the_gil_is_released(self):
        large = prime_for("released", 0.6)
        with Heartbeat() as heart:
            started = time.perf_counter()
            assert released(large)
            seconds = time.perf_counter() - started
        assert heart.rhythm().longest_gap_seconds < 0.5 * seconds

    def test_ends_with_the_block(self):
        with Heartbeat():
            assert beating()
        assert not beating()

    def test_ends_with_an_exception(self):
        with pytest.raises(ZeroDivisionError), Heartbeat():
            _ = 1 / 0
        assert not beating()


def beating():
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


@pytest.fixture(scope="module")
def beaten():
    job = Job("long", [prime_for("released", 0.2)] * 2, [True, True])
    return race(job, ["threads", "processes"], ["held", "released"], 1, rounds=1, heartbeat=True)


class TestRace:
    @with_gil
    def test_shows_who_freezes_the_program(self, beaten):
        freeze = {entry.name: entry.longest_gap_seconds / entry.median_seconds for entry in beaten.entries}
        assert freeze.pop("threads/held") >= 0.4  # each item is a freeze of half the lap
        assert max(freeze.values()) < 0.4
        assert all(0 < lap.p99_gap_seconds <= lap.longest_gap_seconds for lap in beaten.laps)

    def test_is_not_there_unless_asked_for(self):
        result = race(Job("tiny", [7]), ["sequential"], ["held"], rounds=1)
        assert {lap.longest_gap_seconds for lap in result.laps} == {None}
        assert {entry.p99_gap_seconds for entry in result.entries} == {None}

    def test_follows_the_schema_and_is_read_again(self, beaten):
        data = json.loads(beaten.dumps())
        jsonschema.validate(data, SCHEMA)
        assert from_json(data).to_json() == data

    def test_results_from_before_the_heartbeat_are_read(self, beaten):
        data = json.loads(beaten.dumps())
        for each in (*data["laps"], *data["entries"]):
            del each["longest_gap_seconds"], each["p99_gap_seconds"]
        assert {entry.longest_gap_seconds for entry in from_json(data).entries} == {None}

    def test_ends_with_a_lap_that_fails(self):
        failed = race(Job("big", [2**64]), ["sequential"], ["held"], rounds=1, heartbeat=True)
        assert "65 bits" in failed.entries[0].disqualified
        assert not beating()

    def test_at_the_command_line(self, tmp_path, capsys):
        path = tmp_path / "race.json"
        words = ["--rounds", "1", "--racers", "sequential", "--kernels", "held", "--heartbeat"]
        assert main(["race", *words, "--json", str(path)]) == 0
        printed = capsys.readouterr().out
        assert "freeze" in printed
        assert "p99" in printed
        assert main(["show", str(path)]) == 0
        assert capsys.readouterr().out == printed


class TestTables:
    def beaten(self, *freezes):
        laps = [lap(number, seconds=2.0) for number in range(len(freezes))]
        return result([with_freeze(each, freeze) for each, freeze in zip(laps, freezes, strict=True)])

    def test_show_the_median_freeze_of_all_laps(self):
        outcome = self.beaten(0.01, 0.5, 0.02)
        columns, (line,) = race_table(outcome)
        assert tuple(columns[-2:]) == HEARTBEAT_COLUMNS
        assert line[-2:] == ("20.0 ms", "10.0 ms")
        (row,) = csv.DictReader(io.StringIO(exports.csv_table(outcome)))
        assert (row["longest_gap_seconds"], row["p99_gap_seconds"]) == ("0.02", "0.01")
        assert "longest freeze | p99 gap |" in exports.markdown_table(outcome)

    def test_are_whole_where_the_output_is_no_terminal(self, capsys):
        longest = max(RACERS, key=len)
        laps = [
            with_freeze(lap(number, racer, kernel, workers, seconds=seconds), 0.512)
            for number in range(6)
            for racer, kernel, workers, seconds in [
                ("sequential", "python", 1, 12.3 + number),
                ("sequential", "released", 1, 1.23 + number / 5),
                (longest, "released", 16, 0.123 + number / 10),
            ]
        ]
        print_race(result(laps), options.console())
        assert re.search(rf"^ {longest} +released +16 ", capsys.readouterr().out, re.MULTILINE)

    def test_have_no_such_columns_without_a_heartbeat(self):
        outcome = result([lap()])
        assert len(race_table(outcome)[0]) == 8
        assert "gap" not in exports.csv_table(outcome) + exports.markdown_table(outcome)


def with_freeze(each, seconds):
    return replace(each, longest_gap_seconds=seconds, p99_gap_seconds=seconds / 2)

"""Two results side by side."""

import pytest
from laps import lap, result

from primerace.cli import main
from primerace.report.comparison import compare_results


def race(seconds, racer="threads", rounds=6):
    return result(
        [lap(number, racer, workers=2, seconds=seconds + number / 1000) for number in range(rounds)]
    )


def test_a_slower_contestant_has_a_ratio_above_1():
    (row,) = compare_results(race(1.0), race(1.5)).rows
    assert row.key == ("threads", "held", 2)
    assert row.ratio.value == pytest.approx(1.5, rel=0.01)
    assert row.ratio.shows_gain


def test_few_laps_have_no_interval():
    (row,) = compare_results(race(1.0), race(1.5, rounds=3)).rows
    assert row.ratio.low is None


def test_laps_are_not_paired_across_results():
    """They ran at different times: the ratio is that of the medians of all laps, however many there are."""
    many, few = race(1.0, rounds=40), race(1.5, rounds=6)
    (row,) = compare_results(many, few).rows
    assert row.ratio.value == pytest.approx(row.after / row.before)


def test_a_slower_machine_is_taken_out_by_the_baseline():
    """Twice the seconds for all, and the same speed-up in each round: nothing changed but the machine."""

    def both(machine):
        laps = [lap(number, seconds=4.0 * machine) for number in range(6)]
        return result(
            laps + [lap(number, "threads", workers=2, seconds=2.0 * machine) for number in range(6)]
        )

    rows = {row.key[0]: row for row in compare_results(both(1), both(2)).rows}
    assert rows["threads"].ratio.value == 2
    assert rows["threads"].relative.value == 1
    assert rows["sequential"].relative is None


def test_a_disqualified_contestant_is_not_compared():
    laps = [lap(number, "threads", workers=2) for number in range(6)]
    out = result(laps, disqualified={("threads", "held", 2): "item 0 was lost"})
    comparison = compare_results(race(1.0), out)
    assert comparison.rows == []
    assert comparison.only_before == [("threads", "held", 2)]


def test_contestants_that_only_one_has_are_named():
    comparison = compare_results(race(1.0), race(1.0, "processes"))
    assert comparison.rows == []
    assert comparison.only_before == [("threads", "held", 2)]
    assert comparison.only_after == [("processes", "held", 2)]


def test_facts_that_differ_are_named():
    left, right = race(1.0), race(1.0)
    right = type(right)(**{**vars(right), "machine": {**right.machine, "cores": 4}})
    assert compare_results(left, right).facts == {"cores": (2, 4)}


def test_the_command_line_compares(tmp_path, capsys):
    left, right = tmp_path / "left.json", tmp_path / "right.json"
    race(1.0).save(left)
    race(1.5).save(right)
    assert main(["compare", str(left), str(right), "--csv", str(tmp_path / "out.csv")]) == 0
    assert "1.50x" in capsys.readouterr().out
    head, line = (tmp_path / "out.csv").read_text().splitlines()
    columns = "racer,kernel,workers,before,after,ratio,low,high,relative,relative_low,relative_high"
    assert head == columns
    assert line.endswith(",,,")  # there is no baseline


def test_csv_has_what_the_table_has(tmp_path):
    laps = [lap(number) for number in range(6)]
    laps += [lap(number, "threads", workers=2, seconds=0.5) for number in range(6)]
    result(laps).save(tmp_path / "race.json")
    twice = [str(tmp_path / "race.json")] * 2
    assert main(["compare", *twice, "--csv", str(tmp_path / "out.csv")]) == 0
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert "threads,held,2,0.5,0.5,1.0,1.0,1.0,1.0,1.0,1.0" in lines

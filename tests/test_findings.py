"""The sentences under the table: each only where the intervals support it."""

from laps import lap, result

from primerace.report.findings import findings, noisy
from primerace.report.text import notes

STEADY = [1.0, 1.01, 0.99, 1.0, 1.02, 1.0, 0.98]
RESTLESS = [1.0, 1.5, 1.0, 1.6, 1.0, 1.4, 1.0]


def race(factors, base=STEADY):
    """Contestants whose laps are the baseline's times a factor, a little out of step."""
    laps = [lap(number, seconds=seconds) for number, seconds in enumerate(base)]
    for place, (racer, factor) in enumerate(factors.items()):
        laps += [
            lap(number, racer, workers=2, seconds=seconds * factor * (1 + ((number + place) % 3 - 1) / 500))
            for number, seconds in enumerate(base)
        ]
    return result(laps)


def test_a_gain_and_its_bound_are_stated():
    about_kernel, winner = findings(race({"threads": 0.5}))
    assert about_kernel.startswith("held: threads 2.00x [")
    assert "on 2 workers, of 1.00x that this order of items allows" in about_kernel
    assert winner.startswith("Fastest: threads/held")


def test_no_difference_is_not_called_a_gain():
    sentences = list(findings(race({"threads": 1.0})))
    assert sentences[0].startswith("held: no difference shown for threads")
    assert sentences[1].startswith("No single winner")


def test_a_loss_is_called_a_loss():
    assert "slower than one worker: threads 0.50x" in next(findings(race({"threads": 2.0})))


def test_two_that_are_level_have_no_winner():
    *_, winner = findings(race({"threads": 0.5, "processes": 0.5001}))
    assert winner.startswith("No single winner: threads/held has the lowest median")
    assert "processes/held may be as fast" in winner


def test_no_sentence_below_six_rounds():
    few = race({"threads": 0.5}, STEADY[:5])
    assert list(findings(few)) == []
    assert any("below 6 rounds" in note for note in notes(few))


def test_a_restless_machine_is_told_and_names_no_winner_inside_its_noise():
    restless = race({"threads": 0.9}, RESTLESS)
    assert noisy(restless)
    assert any("not quiet" in note for note in notes(restless))
    assert next(findings(restless)).startswith("held: no difference shown for threads")
    *_, winner = findings(restless)
    assert winner.startswith("No single winner")
    assert not noisy(race({"threads": 0.9}))


def test_an_a_a_race_says_what_it_found():
    laps = [
        lap(number, racer, seconds=1.0 + number / 100)
        for racer in ("sequential", "sequential (again)")
        for number in range(6)
    ]
    assert list(findings(result(laps))) == ["A/A sequential/held: 1x: no difference shown, as it should be."]

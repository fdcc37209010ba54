"""Races: their rounds, their order, and who is disqualified."""

from dataclasses import replace
from time import perf_counter

import pytest

from primerace.job import QUICK, Job
from primerace.lineup import RaceError, known, line_up
from primerace.racers import RACERS, Outcome, RacerError
from primerace.racers.sequential import Sequential, SequentialCrew
from primerace.racing import Race, race
from primerace.stats import FEWEST_ROUNDS

TINY = Job("tiny", [7, 9, 11, 25], [True, False, True, False])
IN_PROCESS = ["sequential", "threads", "thread-pool"]


def contest(job=TINY, racers=("sequential",), kernels=("held",), workers=2, **options):
    return Race(job, line_up(job, racers, kernels, workers), **options)


def order_of(laps):
    return [(lap.round, lap.racer, lap.kernel) for lap in laps]


def twisted(twist):
    """A racer that runs the items as it should, and then twists the list of outcomes."""

    class Crew(SequentialCrew):
        def run(self, function, items):
            yield from twist(list(super().run(function, items)))

    class Twisted(Sequential):
        name = "twisted"
        summary = "does something wrong"
        single = False

        def start(self, workers):
            return Crew(self.name)

    return Twisted


def race_twisted(monkeypatch, twist, job=TINY):
    monkeypatch.setitem(RACERS, "twisted", twisted(twist))
    result = race(job, ["sequential", "twisted"], ["held"], rounds=2, workers=2)
    fair, foul = sorted(result.entries, key=lambda entry: entry.name)
    assert fair.name == "sequential/held"
    assert fair.disqualified is None
    assert fair.laps == 2
    return result, foul


class TestLineUp:
    def test_is_all_by_default(self):
        keys = {contestant.key for contestant in line_up(TINY, workers=2).contestants}
        here = {name: racer for name, racer in RACERS.items() if racer().available() is None}
        takers = {name for name, racer in here.items() if racer.kernels is None or "held" in racer.kernels}
        assert {(racer, "held", 1 if RACERS[racer].single else 2) for racer in takers} <= keys
        assert {racer for racer, _, _ in keys} == set(here)
        assert {("sequential", kernel, 1) for kernel in ("python", "held", "released")} <= keys

    @pytest.mark.parametrize(
        ("what", "options"),
        [("racer", {"racers": ["thraeds"]}), ("kernel", {"kernels": ["releasd"]})],
    )
    def test_lists_the_known_names(self, what, options):
        with pytest.raises(RaceError, match=f"there is no {what} .*; known are .*did you mean"):
            line_up(TINY, **options)

    def test_drops_repeats(self):
        assert known("racer", ["threads", "sequential", "threads"], RACERS) == ["threads", "sequential"]

    @pytest.mark.parametrize("options", [{"racers": []}, {"kernels": []}])
    def test_of_nobody_is_an_error(self, options):
        with pytest.raises(RaceError, match="known are"):
            line_up(TINY, **options)

    @pytest.mark.parametrize("workers", [0, -1])
    def test_needs_a_worker(self, workers):
        with pytest.raises(RaceError, match=f"at least 1 worker is needed, not {workers}"):
            line_up(TINY, workers=workers)

    def test_says_why_a_racer_is_missing(self, monkeypatch):
        class Absent(Sequential):
            name = "absent"

            def available(self):
                return "needs a dream"

        monkeypatch.setitem(RACERS, "absent", Absent)
        assert race(TINY, ["sequential", "absent"], ["held"], rounds=1).unavailable == {
            "absent": "needs a dream"
        }
        with pytest.raises(RaceError, match="none of these racers can run here: absent: needs a dream"):
            line_up(TINY, ["absent"])

    def test_racer_with_kernels_of_its_own(self, monkeypatch):
        class Choosy(Sequential):
            name = "choosy"
            kernels = frozenset({"python"})

        monkeypatch.setitem(RACERS, "choosy", Choosy)
        field = line_up(TINY, ["choosy"], ["python", "held"])
        assert [contestant.key for contestant in field.contestants] == [("choosy", "python", 1)]
        with pytest.raises(RaceError, match="choosy: only with kernel python"):
            line_up(TINY, ["choosy"], ["held"])
        for job, kernels in ((TINY, ["held"]), (Job("own", [-7], function=abs), None)):
            field = line_up(job, ["choosy", "threads"], kernels)
            assert field.unavailable == {"choosy": "only with kernel python"}

    def test_job_with_a_function_has_no_kernels(self):
        result = race(Job("own", [-7, 9], [7, 9], abs), ["sequential"], rounds=1)
        assert [(entry.racer, entry.kernel) for entry in result.entries] == [("sequential", None)]
        assert result.job["function"] == "builtins:abs"


class TestRounds:
    @pytest.mark.parametrize("rounds", [1, 2, 7])
    def test_are_exactly_as_many_as_asked_for(self, rounds):
        result = race(TINY, IN_PROCESS, ["held", "released"], rounds=rounds)
        assert result.rounds == rounds
        assert sorted(order_of(result.laps)) == sorted(
            (number, racer, kernel)
            for number in range(rounds)
            for racer in IN_PROCESS
            for kernel in ("held", "released")
        )

    def test_are_at_least_six(self):
        assert race(TINY, ["sequential"], ["held"], seconds=1e-9).rounds == FEWEST_ROUNDS

    def test_fill_the_time(self):
        result = race(TINY, ["sequential"], ["held"], seconds=0.3)
        assert result.rounds > FEWEST_ROUNDS

    def test_are_interleaved(self):
        """Every round has every contestant once before the next begins."""
        laps = race(TINY, IN_PROCESS, ["held"], rounds=8, seed=1).laps
        assert [lap.round for lap in laps] == [number for number in range(8) for _ in IN_PROCESS]
        assert len({tuple(lap.racer for lap in laps if lap.round == number) for number in range(8)}) > 1

    def test_seed_repeats_the_order(self):
        def order(seed):
            return order_of(race(TINY, IN_PROCESS, ["held", "python"], rounds=6, seed=seed).laps)

        assert order(7) == order(7)
        assert order(7) != order(8)

    def test_seed_is_drawn_and_recorded(self):
        seeds = {race(TINY, ["sequential"], ["held"], rounds=1).job["seed"] for _ in range(5)}
        assert len(seeds) > 1

    def test_no_interval_below_six(self):
        for rounds, given in ((FEWEST_ROUNDS - 1, False), (FEWEST_ROUNDS, True)):
            for entry in race(TINY, ["sequential", "threads"], ["held"], rounds=rounds).entries:
                assert (entry.speedup.ratio.low is not None) is given
                assert (entry.to_json()["speedup"] is not None) is given


class TestDisqualification:
    def test_wrong_answer(self, monkeypatch):
        def lie(outcomes):
            return [replace(each, answer=not each.answer) if each.index == 2 else each for each in outcomes]

        _, entry = race_twisted(monkeypatch, lie)
        assert entry.disqualified == "item 2 (11) was answered False, not True"
        assert (entry.median_seconds, entry.speedup, entry.laps) == (None, None, 0)

    def test_wrong_answer_where_none_is_known(self, monkeypatch):
        job = Job("unknown", TINY.items)
        _, entry = race_twisted(monkeypatch, lambda all: [replace(each, answer=None) for each in all], job)
        assert entry.disqualified == "item 0 (7) was answered None, not True"

    def test_answer_that_can_not_be_compared(self, monkeypatch):
        """It costs that racer the race, and no other one its laps."""
        _, entry = race_twisted(monkeypatch, lambda all: [replace(each, answer=Hollow()) for each in all])
        assert entry.disqualified.startswith("item 0 (7): answers of type Hollow can't be compared")

    def test_lost_item(self, monkeypatch):
        _, entry = race_twisted(monkeypatch, lambda outcomes: outcomes[:-1])
        assert entry.disqualified == "item 3 (25) was lost"

    def test_everything_lost(self, monkeypatch):
        _, entry = race_twisted(monkeypatch, lambda outcomes: [])
        assert entry.disqualified == "item 0 (7) was lost"

    def test_item_answered_twice(self, monkeypatch):
        _, entry = race_twisted(monkeypatch, lambda outcomes: [*outcomes, outcomes[1]])
        assert entry.disqualified == "item 1 (9) was answered 2 times"

    def test_is_never_ranked(self, monkeypatch):
        result, entry = race_twisted(monkeypatch, lambda outcomes: outcomes[1:])
        assert result.entries[-1] is entry
        assert all(lap.racer != "twisted" for lap in result.laps)

    def test_order_of_completion_is_free(self, monkeypatch):
        _, entry = race_twisted(monkeypatch, lambda outcomes: outcomes[::-1])
        assert entry.disqualified is None

    def test_function_that_raises(self):
        with pytest.raises(
            RacerError, match=r"item 1 \(0\) raised ValueError: not zero \(.*test_racing\.py:"
        ):
            race(Job("fussy", [1, 0], None, refuse_zero), ["sequential", "threads"], rounds=1)

    def test_items_too_big_for_a_kernel(self):
        result = race(Job("big", [2**64]), ["sequential"], ["python", "held"], rounds=1)
        fair, foul = result.entries
        assert (fair.name, fair.disqualified) == ("sequential/python", None)
        assert foul.name == "sequential/held"
        assert "n has 65 bits" in foul.disqualified


class Hollow:
    """It has lost what its equality compares."""

    def __eq__(self, other):
        return self.lost == other

    __hash__ = None


def refuse_zero(n):
    if n == 0:
        raise ValueError("not zero")
    return n


class TestOrder:
    def test_longest_first(self):
        job = Job("uneven", [7, 25000000000013, 356755276249, 2])
        result = race(job, ["threads"], ["held"], workers=1, rounds=1, order="longest-first")
        assert [outcome.index for outcome in result.laps[0].outcomes][:2] == [1, 2]
        assert result.job["order"] == "longest-first"

    def test_given(self):
        result = race(TINY, ["threads"], ["held"], workers=1, rounds=1)
        assert [outcome.index for outcome in result.laps[0].outcomes] == [0, 1, 2, 3]

    def test_unknown(self):
        with pytest.raises(RaceError, match="no order 'shortest'; known are given, longest-first"):
            race(TINY, ["threads"], ["held"], order="shortest")


def test_empty_job():
    result = race(Job("empty", []), IN_PROCESS, ["held"], rounds=FEWEST_ROUNDS)
    assert [entry.disqualified for entry in result.entries] == [None] * 3


def test_result_so_far_of_an_interrupted_race():
    running = contest(racers=("sequential", "threads"), seed=1)
    assert running.result().entries[0].median_seconds is None
    running.warm_up()
    laps = running.run(rounds=6)
    for _ in range(3):
        next(laps)
    laps.close()
    result = running.result()
    assert len(result.laps) == 3
    assert sorted(entry.laps for entry in result.entries) == [1, 2]
    assert result.dumps()


def test_expected_time_is_known_after_the_warm_up():
    running = contest(Job.sample("quick"))
    running.warm_up()
    expected = running.expected_seconds(rounds=2, seconds=30)
    (entry,) = [list(running.run(rounds=2)), running.result().entries][1]
    assert 0.1 < expected / (2 * entry.median_seconds) < 10


def test_every_racer_with_every_kernel_agrees():
    items = [2, 9, 356755276249, 8333333333345, 11111111111124]
    job = Job("few", items, [QUICK.get(n, False) for n in items])
    result = race(job, workers=2, rounds=1)
    assert [entry.disqualified for entry in result.entries] == [None] * len(result.entries)
    assert len(result.laps) == len(result.entries)
    assert all(type(outcome) is Outcome for lap in result.laps for outcome in lap.outcomes)


def test_precision_needs_something_to_compare():
    """A lone contestant has no interval to be narrow: the time is filled."""
    contest = Race(Job("tiny", [7]), line_up(Job("tiny", [7]), ["sequential"], ["held"]), seed=1)
    contest.warm_up()
    laps = list(contest.run(seconds=0.5, precision=0.5))
    assert laps[-1].round > FEWEST_ROUNDS


def test_precision_stops_as_soon_as_all_intervals_are_narrow():
    job = Job("alike", [25000000000013], [True])
    contest = Race(job, line_up(job, ["sequential", "threads"], ["held"], 1), seed=1)
    contest.warm_up()
    started = perf_counter()
    list(contest.run(seconds=60, precision=0.9))
    assert perf_counter() - started < 30


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"rounds": 0}, "1 round"), ({"precision": -1.0}, "precision"), ({"seed": -1}, "seed")],
)
def test_impossible_numbers_are_named(arguments, says):
    with pytest.raises(RaceError, match=says):
        race(Job("tiny", [7]), ["sequential"], ["held"], **arguments)


def test_a_callable_object_can_race():
    """It has no qualified name, and its items need not travel to another process."""

    class Twice:
        def __call__(self, item):
            return item, item

    result = race(Job("objects", [lambda: 1], function=Twice()), ["sequential", "threads"], rounds=1)
    assert not any(entry.disqualified for entry in result.entries)
    assert result.job["pickled_bytes"] is None

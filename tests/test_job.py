"""Jobs: the samples, and items from files; a bad line is an error that names the place and the text."""

import io
import json
import pickle
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primerace.job import BOOK, QUICK, SAMPLES, Job, JobError
from primerace.kernels import held


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("job") / "items.txt"


def written(tmp_path, content):
    path = tmp_path / "items.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_book_is_the_textbooks():
    assert len(BOOK) == 20
    assert list(BOOK) == sorted(BOOK)
    assert [n for n, prime in BOOK.items() if prime] == [
        2,
        142702110479723,
        299593572317531,
        3333333333333301,
        4444444444444423,
        5555555555555503,
        6666666666666719,
        7777777777777753,
        9999999999999917,
    ]


def test_quick_has_the_shape_of_book_at_a_twentieth_of_the_cost():
    assert list(QUICK.values()) == list(BOOK.values())
    ratios = [big / small for big, small in zip(BOOK, QUICK, strict=True) if big > 2]
    assert all(ratio == pytest.approx(400, rel=1e-4) for ratio in ratios)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_samples(name):
    job = Job.sample(name)
    assert Job.load(name) == job
    assert job.name == name
    assert job.function is None
    assert dict(zip(job.items, job.expected, strict=True)) == SAMPLES[name]


def test_unknown_sample_lists_the_known():
    with pytest.raises(JobError, match="no sample 'bok'.*book, quick"):
        Job.sample("bok")


def test_job_freezes_its_items():
    items = [7, 9]
    job = Job("tiny", items, [True, False])
    items.append(11)
    assert job.items == (7, 9)
    assert job.expected == (True, False)
    with pytest.raises(AttributeError):
        job.items = ()


def test_job_travels():
    job = Job("tiny", [7, 9], [True, False], held)
    assert pickle.loads(pickle.dumps(job)) == job


@pytest.mark.parametrize("expected", [[], [True], [True, False, True]])
def test_as_many_answers_as_items(expected):
    with pytest.raises(JobError, match=f"'tiny' has 2 items but {len(expected)} expected"):
        Job("tiny", [7, 9], expected)


GOOD = [
    ("7\n9\n", (7, 9)),
    ("7\n9", (7, 9)),
    ("7\r\n9\r\n", (7, 9)),
    ("\n\n  7  \n\n\t9\n\n", (7, 9)),
    ("# a comment\n7 # seven\n#8\n9#nine\n", (7, 9)),
    ("-7\n+9\n0\n", (-7, 9, 0)),
    (f"{2**200}\n", (2**200,)),
    ("\ufeff7\n", (7,)),
    ("[7, 9]", (7, 9)),
    ("\n [\n7,\n9\n]\n", (7, 9)),
    ("7\n7\n7\n", (7, 7, 7)),
]


@pytest.mark.parametrize(("content", "items"), GOOD, ids=lambda value: repr(value)[:20])
def test_files(tmp_path, content, items):
    job = Job.load(str(written(tmp_path, content)))
    assert job == Job("items.txt", items)


BAD_LINES = [
    ("7\nseven\n9\n", 2, "seven"),
    ("7.0\n", 1, "7.0"),
    ("\n\n1e3\n", 3, "1e3"),
    ("7 9\n", 1, "7 9"),
    ("7,9\n", 1, "7,9"),
    ("0x10\n", 1, "0x10"),
    ("# fine\n7 # fine\nnan # not fine\n", 3, "nan"),
    ("7\n{}\n", 2, "{}"),
    ("7\n\x00\n", 2, "\\x00"),
    ("True\n", 1, "True"),
    ("--7\n", 1, "--7"),
    ("[1,\n2,\nx]", 3, "x]"),
    ("[1 2]", 1, "[1 2]"),
    ("[1,]", 1, "[1,]"),
    ("[", 1, "["),
    ("[1,\n", 2, ""),
    ("[1\n,\n", 3, ""),
    ("[1]\n[2]\n", 2, "[2]"),
]


@pytest.mark.parametrize(("content", "line", "text"), BAD_LINES, ids=lambda value: repr(value)[:20])
def test_bad_line_is_named(tmp_path, content, line, text):
    path = written(tmp_path, content)
    with pytest.raises(JobError) as caught:
        Job.load(str(path))
    assert f"{path}, line {line}: " in str(caught.value)
    assert f"'{text}'" in str(caught.value)


@pytest.mark.parametrize("element", [1.5, True, None, "7", [7], {"n": 7}, 1e300])
def test_bad_element_is_named(tmp_path, element):
    path = written(tmp_path, json.dumps([2, 3, element]))
    with pytest.raises(JobError) as caught:
        Job.load(str(path))
    assert f"{path}, element 2: not an integer: '{json.dumps(element)}'" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no number"),
        ("\n \n# only comments\n", "no number"),
        ("[]", "no number"),
        (b"7\n\xff\xfe\n", "not a UTF-8 text.*byte 2"),
        ("[" * 100_000, "not lists in lists"),
        ("[" + "9" * 5000 + "]", "4300 digits"),
        ("x" * 1000, "x…"),
    ],
    ids=["empty", "comments", "list", "latin", "deep", "digits", "long"],
)
def test_other_bad_files(tmp_path, content, reason):
    path = written(tmp_path, content)
    with pytest.raises(JobError, match=reason) as caught:
        Job.load(str(path))
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 300


def test_missing_file():
    with pytest.raises(JobError, match=r"'nowhere\.txt' is neither a sample \(book, quick\) nor a file"):
        Job.load("nowhere.txt")


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", ""])
def test_impossible_file_name(name):
    with pytest.raises(JobError):
        Job.load(name)


def test_directory(tmp_path):
    with pytest.raises(JobError, match="directory"):
        Job.load(str(tmp_path))


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("7\n9\n"))
    assert Job.load("-").items == (7, 9)


def test_closed_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(JobError, match="no number"):
        Job.load("-")


@given(st.lists(st.integers(), min_size=1), st.booleans())
def test_any_integers_survive_a_file(path, items, as_json):
    path.write_text(json.dumps(items) if as_json else "".join(f"{item}\n" for item in items))
    assert Job.from_file(path).items == tuple(items)


@given(st.text())
def test_any_text_is_items_or_a_job_error(path, text):
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        items = Job.from_file(path).items
    except JobError as error:
        message = str(error)
    else:
        assert all(type(item) is int for item in items)
        return
    assert str(path) in message

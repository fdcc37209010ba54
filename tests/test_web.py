"""The WSGI application, called as a server calls it, under the eyes of the standard library's validator."""

import io
import json
import random
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from drawing import draw_request

from primerace import kernels, web
from primerace.job import BOOK
from primerace.web import create_app

LIMITED = create_app(digits=30, items=5, body=200, divisions=1000, allow_slow_kernels=True)
SECRET = "without --allow-slow-kernels"


class Answer:
    """What a request got: all of it is JSON, also what went wrong."""

    def __init__(self, status, headers, body, method):
        self.status = int(status.split()[0])
        self.headers = dict(headers)
        self.raw = body
        assert self.headers["Content-Type"] == "application/json"
        if method != "HEAD":
            assert int(self.headers["Content-Length"]) == len(body)
            self.value = json.loads(body)
            if self.status >= 400:
                assert list(self.value) == ["error"]

    @property
    def error(self):
        return self.value["error"]


def ask(path, app=web.app, method="GET", query="", body=None, **environ):
    """The answer to a request; the path is as it is after percent-decoding."""
    given = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, **environ}
    if body is not None:
        given = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json", **given}
    given.setdefault("wsgi.input", io.BytesIO(body or b""))
    setup_testing_defaults(given)
    started = []
    application = validator(app) if method in ("GET", "HEAD", "POST", "PUT", "DELETE") else app
    chunks = application(given, lambda *arguments: started.append(arguments))
    try:
        whole = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    return Answer(*started[0][:2], whole, method)


def post(body, app=web.app, **environ):
    return ask("/is_prime", app, "POST", body=body if isinstance(body, bytes) else body.encode(), **environ)


class Zeros(io.RawIOBase):
    """A long body that takes no room."""

    def __init__(self, left):
        self.left = left

    def read(self, size):
        assert size <= 1 << 20
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


class TestOneNumber:
    @pytest.mark.parametrize(("n", "prime"), [*BOOK.items(), (2**127 - 1, True), (2**128 + 1, False)])
    def test_answers(self, n, prime):
        answer = ask(f"/is_prime/{n}")
        assert (answer.status, answer.value) == (200, {"n": str(n), "is_prime": prime})

    def test_a_number_goes_out_as_text_so_that_no_reader_rounds_it(self):
        assert b'"n": "9007199254740993"' in ask("/is_prime/9007199254740993").raw

    @pytest.mark.parametrize("text", ["-7", "-0", "0", "1", "-" + "9" * 4000])
    def test_negative_numbers_and_the_first_two_are_not_prime(self, text):
        assert ask(f"/is_prime/{text}").value == {"n": str(int(text)), "is_prime": False}

    def test_leading_zeros(self):
        assert ask("/is_prime/007").value == {"n": "7", "is_prime": True}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "+7",
            "7.0",
            "1e3",
            "0x7",
            "1_000",
            " 7",
            "7 ",
            "7\n",
            "7\0",
            "seven",
            "true",
            "7/",
            "--7",
            "NaN",
        ]
        + ["\xd9\xa7", "\xef\xbc\x97", "<script>", "9" * 5000 + "x"],
    )
    def test_what_is_no_integer(self, text):
        answer = ask(f"/is_prime/{text}")
        assert answer.status == 400
        assert answer.error.startswith("GET /is_prime/<n> takes an integer in decimal digits, not '")
        assert len(answer.error) < 300

    def test_head_is_get_without_the_body(self):
        get, head = ask("/is_prime/17"), ask("/is_prime/17", method="HEAD")
        assert (head.status, head.raw) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]

    def test_tells_the_time_of_the_call(self):
        assert ask("/is_prime/17").headers["Server-Timing"].startswith("call;dur=0.")

    @pytest.mark.parametrize("digits", [4001, 4300, 4301, 8000])
    def test_too_many_digits(self, digits):
        answer = ask("/is_prime/" + "7" * digits)
        assert answer.status == 414
        assert answer.error == f"a number has {digits:,} digits; the limit is 4,000"

    def test_as_many_digits_as_allowed(self):
        assert ask("/is_prime/" + "1" * 3999 + "2").value["is_prime"] is False


class TestList:
    def test_answers_in_order(self):
        numbers = [7, 9, -7, 0, 2**64 - 59, 2**64, 2**64 + 13, 2**127 - 1, -(2**127) + 1, 7]
        answer = post(json.dumps(numbers))
        assert (answer.status, answer.value) == (200, [kernels.fast(n) for n in numbers])

    def test_many_numbers(self):
        numbers = list(range(100_000))
        assert post(json.dumps(numbers)).value == [kernels.fast(n) for n in numbers]

    @pytest.mark.parametrize("body", ["[]", " [ ] ", "\n[]\n"])
    def test_empty_list(self, body):
        assert post(body).value == []

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
    def test_encodings_of_json(self, encoding):
        assert post("[7, 9]".encode(encoding)).value == [True, False]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            " ",
            "[",
            "[7",
            "[7,]",
            "[7 9]",
            "]",
            "[07]",
            "[+7]",
            "[0x7]",
            "[7",
            "['7']",
            "{7}",
            "nul",
            "[7]]",
        ]
        + ["[\0]", "\0", "[7]\0", b"\xff\xfe\xff", b'["\xff"]', "[" * 100_000, '{"a":' * 100_000]
        + ["[" * 100_000 + "]" * 100_000],
    )
    def test_what_is_no_json(self, body):
        answer = post(body)
        assert answer.status == 400
        assert answer.error.startswith("the body is not JSON that can be read: ")

    @pytest.mark.parametrize(
        ("body", "kind"),
        [("7", "a number"), ('"7"', "a string"), ("null", "null"), ("true", "true"), ("{}", "an object")]
        + [('{"a": 1, "a": 2}', "an object")],
    )
    def test_what_is_no_list(self, body, kind):
        answer = post(body)
        assert answer.status == 422
        assert answer.error == f"POST /is_prime takes a JSON list of integers, not {kind}"

    @pytest.mark.parametrize(
        ("item", "kind"),
        [
            ('"7"', "a string"),
            ("null", "null"),
            ("true", "true"),
            ("[7]", "a list"),
            ('{"a": 7}', "an object"),
        ]
        + [('"\\ud800"', "a string")],
    )
    def test_what_is_no_integer(self, item, kind):
        answer = post(f"[7, 7, {item}]")
        assert (answer.status, answer.error) == (422, f"item 2 of the list is {kind}, not an integer")

    @pytest.mark.parametrize(
        "text", ["7.0", "-0.0", "1e3", "1e999999", "-1E+5", "NaN", "Infinity", "-Infinity"]
    )
    def test_floats(self, text):
        answer = post(f"[7, {text}]")
        assert (answer.status, answer.error) == (422, f"{text} is not an integer")

    def test_too_many_digits(self):
        for digits in (4001, 10_000):
            answer = post("[7, -" + "7" * digits + "]")
            assert answer.status == 413
            assert answer.error == f"a number has {digits:,} digits; the limit is 4,000"

    def test_too_many_numbers(self):
        answer = post(json.dumps([7] * 100_001))
        assert (answer.status, answer.error) == (413, "the list has 100,001 numbers; the limit is 100,000")

    def test_too_much_work(self):
        """The work of a number grows with about the square of its digits."""
        allowed = "[" + "7" * 3000 + ", " + "2" * 2600 + "]"
        assert post(allowed, create_app(digits=4000)).status == 200
        answer = post(allowed, create_app(digits=3500))
        assert answer.status == 413
        assert answer.error.endswith("together as much work as one of 3,969 digits; the limit is 3,500")

    def test_body_too_large(self):
        for length in (201, 10**30):
            answer = post(b"[" + b" " * 200, LIMITED, CONTENT_LENGTH=str(length))
            assert answer.status == 413
            assert answer.error == f"the body has {length:,} bytes; the limit is 200"

    @pytest.mark.parametrize("path", ["/is_prime", "/nope", "/is_prime/7"])
    def test_body_that_breaks_off(self, path):
        answer = ask(path, method="POST", body=b"[7]", CONTENT_LENGTH="5")
        assert (answer.status, answer.error) == (400, "the body broke off after 3 of 5 bytes")

    def test_body_is_read_before_anything_is_refused(self):
        """Clients that send all of it before they read would otherwise find the connection closed."""
        for length, left in ((100, 0), (1 << 20, 0), (64 << 20, 0), (65 << 20, 65 << 20)):
            stream = Zeros(length)
            answer = ask("/nope", LIMITED, "POST", CONTENT_LENGTH=str(length), **{"wsgi.input": stream})
            assert (answer.status, stream.left) == (413 if length > 200 else 404, left)

    def test_body_of_unstated_length(self):
        terminated = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
        assert post("[7, 9]", LIMITED, **terminated).value == [True, False]
        answer = post(b"[" + b" " * 500, LIMITED, **terminated)
        assert answer.status == 413
        assert answer.error == "the body has more than 200 bytes; the limit is 200"

    def test_body_that_may_never_end(self):
        """Without a length a plain WSGI server's input has no end."""
        answer = post("[7]", CONTENT_LENGTH="")
        assert (answer.status, answer.error) == (411, "the request has no Content-Length")

    @pytest.mark.parametrize("length", ["-1", "1.5", "seven", "\xb2", " 3", "9" * 5000])
    def test_length_that_is_no_number(self, length):
        answer = LIMITED._answer  # the validator refuses these before the application sees them
        with pytest.raises(web.Refusal, match="Content-Length is a number of bytes, not '"):
            answer(
                {
                    "REQUEST_METHOD": "POST",
                    "PATH_INFO": "/is_prime",
                    "CONTENT_LENGTH": length,
                    "wsgi.input": io.BytesIO(b"[7]"),
                }
            )

    @pytest.mark.parametrize(
        "kind", ["application/json", "Application/JSON ; charset=utf-8", "", "application/json;"]
    )
    def test_media_types(self, kind):
        assert post("[7]", CONTENT_TYPE=kind).value == [True]

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "json", ";", "\xff"])
    def test_other_media_types(self, kind):
        answer = post("[7]", CONTENT_TYPE=kind)
        assert answer.status == 415
        assert answer.error.startswith("Content-Type is application/json here, not '")

    def test_content_encoding(self):
        assert post("[7]", HTTP_CONTENT_ENCODING="identity").status == 200
        assert post("[7]", HTTP_CONTENT_ENCODING="gzip").status == 415


class TestKernels:
    @pytest.mark.parametrize("name", ["python", "held", "released"])
    def test_slow_ones_are_refused(self, name):
        for answer in (
            ask("/is_prime/17", query=f"kernel={name}"),
            post("[17]", QUERY_STRING=f"kernel={name}"),
        ):
            assert (answer.status, SECRET in answer.error) == (403, True)

    def test_fast_is_always_there(self):
        assert ask("/is_prime/17", query="kernel=fast").value["is_prime"] is True

    @pytest.mark.parametrize("name", ["python", "held", "released", "fast"])
    def test_slow_ones_where_they_are_allowed(self, name):
        app = create_app(allow_slow_kernels=True)
        assert ask("/is_prime/10403", app, query=f"kernel={name}").value["is_prime"] is False
        assert post("[10403, 10007, -3]", app, QUERY_STRING=f"kernel={name}").value == [False, True, False]

    @pytest.mark.parametrize("numbers", [[4_008_004], [1_000_000] * 3, [10**30 - 1]])
    def test_too_many_divisions(self, numbers):
        answer = post(json.dumps(numbers), LIMITED, QUERY_STRING="kernel=held")
        assert answer.status == 413
        assert answer.error.startswith("kernel held may need ")
        assert answer.error.endswith("; the limit is 1,000")
        assert post(json.dumps(numbers), LIMITED).status == 200

    def test_number_that_a_kernel_does_not_take(self):
        app = create_app(divisions=1e30, allow_slow_kernels=True)
        answer = ask(f"/is_prime/{2**64}", app, query="kernel=held")
        assert answer.status == 422
        assert answer.error.startswith("kernel held raised OverflowError: ")

    def test_unknown_kernel(self):
        answer = ask("/is_prime/17", query="kernel=slow")
        assert (answer.status, answer.error) == (400, "there is no kernel 'slow'; known are fast")

    @pytest.mark.parametrize(
        "query", ["kernal=held", "kernel=fast&kernel=fast", "n=7", "kernel=fast&x", "x", "%ff=%00"]
    )
    def test_other_queries(self, query):
        answer = ask("/is_prime/17", query=query)
        assert answer.status == 400
        assert answer.error == f"the query is one kernel=<name>, not {query!r}"

    def test_endless_query(self):
        assert ask("/is_prime/17", query="a=1&" * 1000).status == 400


class TestElse:
    def test_health(self):
        assert ask("/healthz").value == {"status": "ok"}

    @pytest.mark.parametrize(
        "path", ["", "/", "/nope", "/is_primes/7", "/IS_PRIME/7", "/healthz/", "//is_prime/7"]
    )
    def test_unknown_paths(self, path):
        answer = ask(path)
        assert answer.status == 404
        assert answer.error.endswith("there are GET /is_prime/<n>, POST /is_prime, GET /healthz")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("POST", "/is_prime/7", "GET, HEAD"),
            ("DELETE", "/healthz", "GET, HEAD"),
            ("GET", "/is_prime", "POST"),
        ]
        + [("BREW", "/is_prime", "POST"), ("PUT", "/is_prime/7", "GET, HEAD")],
    )
    def test_other_methods(self, method, path, allowed):
        answer = ask(path, method=method, body=b"")
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert f"not {method!r}" in answer.error

    @pytest.mark.parametrize(
        "limits", [{"digits": 0}, {"items": -1}, {"body": 0}, {"divisions": float("nan")}]
    )
    def test_limits_that_make_no_sense(self, limits):
        (name,) = limits
        with pytest.raises(ValueError, match=f"the limit {name} is at least 1, not "):
            create_app(**limits)

    def test_more_digits_than_python_converts(self):
        with pytest.raises(ValueError, match="Python converts 4,300; .*PYTHONINTMAXSTRDIGITS=0 lifts that"):
            create_app(digits=5000)


@pytest.mark.parametrize("seed", range(10))
def test_random_requests_are_answered_or_refused(seed):
    """1,000 requests each: never an exception, which a server would make a 500, and never another 5xx."""
    draw = random.Random(seed)
    seen = set()
    for _ in range(1000):
        request = draw_request(draw)
        started = []
        body = b"".join(LIMITED(request, lambda *arguments, started=started: started.append(arguments)))
        answer = Answer(*started[0], body, request["REQUEST_METHOD"])
        assert answer.status < 500, request
        seen.add(answer.status)
    assert seen >= {200, 400, 404, 405, 413, 415, 422}

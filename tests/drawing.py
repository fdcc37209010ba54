"""Requests at random: for the application, as HTTP, and bytes that are hardly HTTP."""

import io
from urllib.parse import quote

METHODS = ["GET"] * 6 + ["POST"] * 8 + ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW", "get", ""]
PATHS = ["/is_prime"] * 6 + ["/is_prime/", "/healthz", "/", "", "//", "/is_prime/7/", "\0", "\xff\xfe"]
QUERIES = [""] * 6 + [
    "kernel=",
    "kernel=held",
    "kernel=python",
    "kernel",
    "&",
    "=",
    "%",
    "%00",
    "kernel=held;",
]
TYPES = ["application/json"] * 5 + ["", "text/html", ";", "\0", "application/json; charset=\xff"]
TOKENS = [
    *("[", "]", "[", "]", ",", ",", ",", "{", "}", ":", '"', "'", "\\", " ", "\n", "\0", "-", "+", ".", "e"),
    *("7", "9", "0", "1e999999", "1.5", "NaN", "Infinity", "null", "true", "1" * 19, "9" * 25, "3" * 31),
    *('"a"', '"\\ud800"', "\ufeff", "\ud800", "ä", "[" * 2000, "-0", "18446744073709551557", "1" * 5000),
]


def draw_text(draw, most):
    return "".join(draw.choices(TOKENS, k=draw.randrange(most)))


def draw_body(draw):
    """Text that is nearly JSON, or just bytes."""
    if draw.random() < 0.1:
        return draw.randbytes(draw.randrange(40))
    numbers = ",".join(draw.choices(TOKENS[20:], k=draw.randrange(4)))
    text = draw.choice(["[{}]", "{}", "[[{}]]", '{{"a": {}}}']).format(numbers)
    return (text if draw.random() < 0.6 else draw_text(draw, 12)).encode("utf-8", "surrogatepass")


def draw_request(draw):
    """What a server may hand to the application, and some that it may not."""
    path = draw.choice(PATHS)
    if path == "/is_prime/" or draw.random() < 0.3:
        path = "/is_prime/" + draw_text(draw, 4).encode("utf-8", "surrogatepass").decode("latin-1")
    body = draw_body(draw)
    length = draw.choice(
        [str(len(body))] * 6 + ["", "0", "1" * 400, "0" * 5000, "1" * 80, str(len(body) + 9)]
    )
    return {
        "REQUEST_METHOD": draw.choice(METHODS),
        "PATH_INFO": path,
        "QUERY_STRING": draw.choice(QUERIES),
        "CONTENT_TYPE": draw.choice(TYPES),
        "CONTENT_LENGTH": length,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": draw.random() < 0.5,
    }


def as_http(request, draw):
    """The method and the bytes of such a request, and whether no other one can follow on its connection."""
    method, body, length = request["REQUEST_METHOD"], request["wsgi.input"].read(), request["CONTENT_LENGTH"]
    target = quote(request["PATH_INFO"], encoding="latin-1")
    if request["QUERY_STRING"]:
        target += "?" + request["QUERY_STRING"]
    honest = not length or length == str(len(body))
    if length:
        framing = f"Content-Length: {length}"
    else:
        framing = "Transfer-Encoding: chunked"
        cut = draw.randrange(len(body) + 1)
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
        body += b"0\r\n\r\n"
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: {request['CONTENT_TYPE']}\r\n{framing}\r\n\r\n"
    )
    return method, head.encode("latin-1") + body, not honest


PIECES = [
    *(b"GET ", b"POST ", b"HEAD ", b"/is_prime/7", b"/is_prime", b"/", b"?kernel=", b"?", b"%", b"#", b"*"),
    *(b" HTTP/1.1", b" HTTP/1.0", b" HTTP/9.9", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\0", b"\xff", b":"),
    *(
        b"Host: x",
        b"Content-Length: 3",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
    ),
    *(
        b"Expect: 100-continue",
        b"Upgrade: h2c",
        b"3\r\n[7]\r\n0\r\n\r\n",
        b"[7]",
        b"ffffffffff\r\n",
        b"9" * 300,
    ),
]


def draw_bytes(draw):
    """A good request with some bytes changed, or pieces of requests in any order."""
    if draw.random() < 0.4:
        return b"".join(draw.choices(PIECES, k=draw.randrange(1, 12)))
    chunked = draw.random() < 0.5
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 3"
    body = b"3\r\n[7]\r\n0\r\n\r\n" if chunked else b"[7]"
    good = b"POST /is_prime HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n" + body
    changed = bytearray(good)
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(changed))
        changed[place : place + draw.randrange(3)] = draw.choice(
            [b"", draw.randbytes(1), draw.choice(PIECES)]
        )
    return bytes(changed)

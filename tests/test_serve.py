"""`primerace serve` as its clients see it: a real Gunicorn on a free port of loopback."""

import json
import random
import re
import signal
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse

import psutil
import pytest
from drawing import as_http, draw_bytes, draw_request
from watching import descendants, eventually, gone, start

from primerace import cli

pytest.importorskip("gunicorn", reason="needs gunicorn: pip install 'primerace[web]'")

SERVE = ("-m", "primerace", "serve", "--port", "0")
LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
BUSY = 2**53 - 111  # a prime: kernel held takes a good part of a second for it


IMPATIENT = """
from primerace import serving
from primerace.serving import *

serving.READ_SECONDS = 1.0
"""


@contextmanager
def serving(*options, command=SERVE, folder=None):
    """A running server: its process, its port and the lines that it has logged."""
    process = start(*command, *options, cwd=folder)
    log = []
    reader = threading.Thread(target=log.extend, args=(process.stderr,))
    reader.start()
    try:
        assert eventually(lambda: LISTENING.search("".join(log)) or process.poll() is not None, 30), log
        yield process, int(LISTENING.search("".join(log))[1]), log
    finally:
        family = [psutil.Process(process.pid), *descendants(process.pid)] if process.poll() is None else []
        process.terminate()
        process.wait(30)
        process.stdout.close()
        reader.join(10)
        process.stderr.close()
        assert gone(family)


@pytest.fixture(scope="module")
def server():
    """One for all tests that do no harm; two threads in one process, so that slow clients show."""
    with serving("--workers", "1", "--threads", "2", "--allow-slow-kernels") as (_, port, log):
        yield port
    assert "Traceback" not in "".join(log)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """The same without our command: settings built on ours, by which a request arrives within a second."""
    settings = tmp_path_factory.mktemp("settings") / "impatient.py"
    settings.write_text(IMPATIENT)
    command = ("-m", "gunicorn", "--config", str(settings), "--bind", "127.0.0.1:0", "primerace.web:app")
    with serving("--threads", "2", command=command) as (_, port, log):
        yield port
    assert "Traceback" not in "".join(log)


def get(port, path, method="GET", body=None, headers=None, timeout=30):
    """Status and JSON of the answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=timeout)) as client:
        client.request(method, path, body, headers or {})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())


def send(port, request, timeout=20, ends=True):
    """What the server sends back to these bytes, which are all that comes."""
    with socket.create_connection(("127.0.0.1", port), timeout) as client:
        try:
            client.sendall(request)
            if ends:
                client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(1 << 16), b""))
        except ConnectionError:
            return b""


def test_answers(server):
    assert get(server, "/is_prime/17") == (200, {"n": "17", "is_prime": True})
    assert get(server, "/is_prime/%31%37?kernel=held") == (200, {"n": "17", "is_prime": True})
    as_json = {"Content-Type": "application/json"}
    assert get(server, "/is_prime", "POST", "[7, 9]", as_json) == (200, [True, False])
    assert get(server, "/healthz") == (200, {"status": "ok"})


def test_connection_is_kept(server):
    """Also after refusals whose body nobody read."""
    with closing(HTTPConnection("127.0.0.1", server, timeout=30)) as client:
        client.connect()
        mine = client.sock.getsockname()
        for method, path, body in [("GET", "/is_prime/7", None), ("POST", "/nope", b"[" * 99)] * 3:
            client.request(method, path, body)
            client.getresponse().read()
            assert client.sock.getsockname() == mine


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
@pytest.mark.parametrize(
    ("path", "kind", "size", "status"),
    [
        ("/is_prime", "application/json", 5_000_000, 413),
        ("/is_prime", "application/json", 20_000_000, 413),
        ("/is_prime", "text/plain", 3_000_000, 415),
        ("/nope", "application/json", 3_000_000, 404),
    ],
)
def test_refusals_reach_clients_that_send_all_before_they_read(server, connection, path, kind, size, status):
    headers = {"Content-Type": kind, "Connection": connection}
    assert get(server, path, "POST", b" " * size, headers)[0] == status
    chunked = iter([b" " * size])
    assert get(server, path, "POST", chunked, headers)[0] == status


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"Content-Length: 5\r\n\r\n[7]", "the body broke off after 3 of 5 bytes"),
        (b"Content-Length: 5\r\n\r\n", "the body broke off after 0 of 5 bytes"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\n[7]\r\n", "the body broke off"),
    ],
)
def test_bodies_that_break_off(server, impatient, body, error):
    """Whether the client ends its side or is silent for too long."""
    request = b"POST /is_prime HTTP/1.1\r\nHost: x\r\n" + body
    for port, ends in ((server, True), (impatient, False)):
        head, _, told = send(port, request, ends=ends).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(told) == {"error": error}


def test_chunked_body(server):
    head = b"POST /is_prime HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b"[true, false]" in send(server, head + b"2\r\n[7\r\n4\r\n, 9]\r\n0\r\n\r\n")
    answer = send(server, head + b"500000\r\n" + b" " * 0x500000 + b"\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("request_line", "status", "error"),
    [
        ("GET /is_prime/" + "7" * 4001, 414, "a number has 4,001 digits; the limit is 4,000"),
        ("GET /is_prime/" + "7" * 9000, 414, "Request Line is too large (9023 > 8190)"),
        ("GET /is_prime/%00", 400, "takes an integer in decimal digits, not '\\x00'"),
        ("GET /is_prime/7%2F..", 400, "takes an integer in decimal digits, not '7/..'"),
        ("GET /is_prime/%D9%A7", 400, "takes an integer in decimal digits, not '"),
        ("BREW /is_prime/7", 405, "takes GET, HEAD, not 'BREW'"),
        ("get", 400, ""),
    ],
)
def test_refusals_are_json(server, request_line, status, error):
    head, _, body = send(server, f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).partition(
        b"\r\n\r\n"
    )
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    assert error in json.loads(body)["error"]


@pytest.mark.parametrize(
    "header",
    [
        "X: " + "x" * 9000,
        "Transfer-Encoding: gzip",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 2",
    ]
    + ["X : y", "Expect: miracles", "Transfer-Encoding: chunked\r\nContent-Length: 3", "\0: \0"]
    + ["\r\n".join(f"X{n}: y" for n in range(200))],
)
def test_headers_that_are_no_http(server, header):
    answer = send(server, f"POST /is_prime HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n[7]".encode())
    assert answer[9:10] == b"4"
    assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2])


class Client:
    """A connection that is kept for as long as the server keeps it."""

    def __init__(self, port):
        self._address = ("127.0.0.1", port)
        self._socket = None

    def ask(self, method, request, ends):
        """Status and body of the answer; None where the connection was lost.

        `ends` tells that nothing follows, so that the server does not wait for more.
        """
        self._socket = self._socket or socket.create_connection(self._address, 30)
        try:
            self._socket.sendall(request)
            if ends:
                with suppress(OSError):  # the server may have closed it
                    self._socket.shutdown(socket.SHUT_WR)
            answer = HTTPResponse(self._socket, method=method)
            answer.begin()
            body = answer.read()
        except ConnectionError:
            self.close()
            return None
        if ends or answer.will_close:
            self.close()
        return answer.status, body

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = None


def test_random_requests_are_answered_or_refused():
    """10,000 over HTTP; the same as the application is given without it."""
    draw = random.Random(9)
    options = ("--digits", "30", "--items", "5", "--body", "200", "--divisions", "1000")
    statuses = Counter()
    with serving("--workers", "1", "--allow-slow-kernels", *options) as (_, port, log):
        with closing(Client(port)) as client:
            for _ in range(10_000):
                method, request, ends = as_http(draw_request(draw), draw)
                answer = client.ask(method, request, ends)
                if answer is None:
                    continue
                status, body = answer
                assert status < 500, request
                assert method == "HEAD" or (status >= 400) == (b"error" in body), (request, answer)
                statuses[status] += 1
        assert get(port, "/healthz")[0] == 200
    assert "Traceback" not in "".join(log)
    assert statuses.total() > 9_900
    assert set(statuses) >= {200, 400, 404, 405, 413, 414, 415, 422}


def test_random_bytes_never_get_a_5xx(server):
    draw = random.Random(8)
    answers = []
    for _ in range(500):
        request = draw_bytes(draw)
        answer = send(server, request)
        assert not re.match(rb"HTTP/1\.\d 5", answer), (request, answer)
        answers.append(answer)
    statuses = {answer[9:12] for answer in answers if answer}
    assert {b"200", b"400", b"404"} <= statuses
    assert get(server, "/healthz")[0] == 200


class TestSlowClients:
    def test_idle_connections_keep_nobody_waiting(self, server):
        """More of them than there are threads; the system passes none on that says nothing."""
        begin = time.perf_counter()
        idle = [socket.create_connection(("127.0.0.1", server)) for _ in range(4)]
        try:
            assert get(server, "/is_prime/17")[0] == 200
            assert time.perf_counter() - begin < 5  # seconds that Gunicorn's threads wait for a first byte
        finally:
            for client in idle:
                client.close()

    def test_requests_that_never_end_are_given_up(self, impatient):
        """Their clients send a byte now and then, so that no wait for a byte is long."""
        slow = [socket.create_connection(("127.0.0.1", impatient), 30) for _ in range(4)]
        done = threading.Event()

        def dribble(client):
            client.sendall(b"GET /is_prime/17 HTTP/1.1\r\n")
            while not done.wait(0.3):
                try:
                    client.sendall(b"X: y\r\n")
                except OSError:
                    return

        threads = [threading.Thread(target=dribble, args=(client,)) for client in slow]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            assert get(impatient, "/is_prime/17", timeout=60)[0] == 200
        finally:
            done.set()
            for thread, client in zip(threads, slow, strict=True):
                thread.join()
                client.close()

    def test_client_that_does_not_read_its_answers(self, server):
        body = b"[" + b"7," * 99_999 + b"7]"
        head = b"POST /is_prime HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        clients = [socket.create_connection(("127.0.0.1", server), 30) for _ in range(3)]
        try:
            for client in clients:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                client.sendall(head + body)
            assert get(server, "/is_prime/17", timeout=60)[0] == 200
        finally:
            for client in clients:
                client.close()


def test_a_held_call_is_answered_while_others_wait(server):
    """Beside it nothing else runs in that process, but everybody is answered in the end."""
    results = []
    path = f"/is_prime/{BUSY}?kernel=held"
    threads = [
        threading.Thread(target=lambda: results.append(get(server, path, timeout=60))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(200, {"n": str(BUSY), "is_prime": True})] * 3


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_everything_ends(how):
    with serving("--workers", "2") as (process, port, log):
        assert get(port, "/healthz")[0] == 200
        assert eventually(lambda: len(descendants(process.pid)) == 2)
        family = descendants(process.pid)
        process.send_signal(signal.Signals[how])
        assert gone(family)
        assert process.wait(30) == (-signal.SIGKILL if how == "SIGKILL" else 0)


def test_limits_of_the_command_line():
    options = ("--digits", "5000", "--items", "2", "--body", "6000")
    with serving("--workers", "1", *options) as (_, port, _):
        as_json = {"Content-Type": "application/json"}
        assert get(port, "/is_prime/" + "2" * 5000)[1]["is_prime"] is False
        assert "the limit is 5,000" in get(port, "/is_prime/" + "2" * 5001)[1]["error"]
        assert "the limit is 2" in get(port, "/is_prime", "POST", "[1,2,3]", as_json)[1]["error"]
        assert "the limit is 6,000" in get(port, "/is_prime", "POST", " " * 6001, as_json)[1]["error"]
        assert get(port, "/is_prime/17?kernel=held")[0] == 403


def test_modules_of_the_current_folder_stay_out(traps):
    with serving("--workers", "1", command=("-P", *SERVE), folder=traps) as (_, port, _):
        as_json = {"Content-Type": "application/json"}
        assert get(port, "/is_prime", "POST", "[7, 9]", as_json) == (200, [True, False])


def run(*options):
    process = start("-m", "primerace", "serve", *options)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_port_that_is_taken(server):
    assert run("--port", str(server)) == (
        2,
        f"Error: port {server} of 127.0.0.1 is taken; --port names another, 0 a free one\n",
    )


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--host", "nowhere.invalid"), "Error: --host nowhere.invalid: "),
        (("--host", "192.0.2.1"), "Error: can't listen on port 8000 of 192.0.2.1: "),
        (("--host", "x" * 70), "Error: --host "),
        (("--port", "70000"), "Usage: "),
        (("--workers", "0"), "Usage: "),
    ],
)
def test_addresses_that_make_no_sense(options, error):
    code, errors = run(*options)
    assert code == 2
    assert errors.startswith(error)
    assert "Traceback" not in errors


def test_without_gunicorn(monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["primerace.cli.serve"], "find_spec", lambda name: None)
    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err == "Error: serve needs Gunicorn: pip install 'primerace[web]'\n"

"""The Redis servers of the racers that need one: the private one, and those that run already."""

import shutil
import socket
import stat
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from engines import no_files_left
from redises import running_redis
from watching import eventually, gone, nothing_left, start

from primerace.racers import RacerError
from primerace.racers import redis as servers
from primerace.racers.redis import open_server

pytest.importorskip("redis", reason="needs redis: pip install redis")
REASON = servers.no_redis(None)
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"{REASON}")


@pytest.fixture(scope="module", autouse=True)
def folder_of_pytest(tmp_path_factory):
    """It must be there before temporary files have a folder of their own."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture
def nothing_stays():
    with nothing_left(), no_files_left():
        yield


def process_of(client):
    return psutil.Process(client.info("server")["process_id"])


PROGRAM = """
import time
from primerace.racers.redis import open_server

server = open_server("rq", None)
print(server.client().info("server")["process_id"], flush=True)
time.sleep(60)
"""


class TestPrivateServer:
    def test_answers_and_leaves_nothing(self, nothing_stays):
        with open_server("rq", None) as server, server.client() as client:
            assert client.ping()
            process = process_of(client)
        assert gone([process])
        server.close()

    def test_is_there_soon(self, nothing_stays):
        """It takes some 20 ms; a busy machine gets a second."""
        begin = time.perf_counter()
        with open_server("rq", None):
            assert time.perf_counter() - begin < 1

    def test_is_for_its_user_alone(self, nothing_stays):
        with open_server("rq", None) as server, server.client() as client:
            (folder,) = Path(tempfile.gettempdir()).iterdir()
            (path,) = folder.glob("*.sock")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            assert process_of(client).net_connections("inet") == []

    def test_writes_nothing_to_disk(self, nothing_stays):
        with open_server("rq", None) as server, server.client() as client:
            settings = client.config_get("save", "appendonly")
            assert settings == {"save": "", "appendonly": "no"}
            client.set("key", "value")
            client.shutdown(nosave=False)
            (folder,) = Path(tempfile.gettempdir()).iterdir()
            assert not list(folder.glob("*.rdb"))

    def test_url_for_celery(self, nothing_stays):
        with open_server("celery", None) as server:
            assert server.celery_url.startswith("redis+socket:///")
            assert server.celery_url.endswith("redis.sock?virtual_host=0")

    def test_that_was_killed_leaves_nothing_either(self, nothing_stays):
        with open_server("rq", None) as server, server.client() as client:
            process_of(client).kill()

    def test_whose_shell_was_killed_leaves_nothing_either(self, nothing_stays):
        with open_server("rq", None) as server, server.client() as client:
            process_of(client).parent().kill()

    @pytest.mark.parametrize("how", ["kill", "terminate"])
    def test_goes_with_its_program(self, nothing_stays, how):
        program = start("-c", PROGRAM)
        process = psutil.Process(int(program.stdout.readline()))
        getattr(program, how)()
        program.communicate(timeout=10)
        assert gone([process])
        assert eventually(lambda: not list(Path(tempfile.gettempdir()).iterdir()))

    def test_that_can_not_be_started(self, nothing_stays, monkeypatch):
        monkeypatch.setitem(servers.SETTINGS, "--maxmemory", "plenty")
        monkeypatch.setattr(servers, "SERVER_START_SECONDS", 0.5)
        with pytest.raises(RacerError, match="^rq: redis-server could not be started: .+"):
            open_server("rq", None)

    def test_path_that_is_too_long_for_a_socket(self, nothing_stays, monkeypatch, tmp_path):
        folder = tmp_path / ("x" * 100)
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        with pytest.raises(RacerError, match=r"^rq: the path of a socket has at most 107 bytes, not \d+: /"):
            open_server("rq", None)
        assert not list(folder.iterdir())

    def test_missing_program_is_a_reason(self, monkeypatch):
        monkeypatch.setattr(shutil, "which", lambda name: None)
        reason = "needs redis-server (Debian: apt-get install redis-server), or --broker URL"
        assert servers.no_redis(None) == reason
        assert servers.no_redis("redis://127.0.0.1") is None


class TestRunningServer:
    def test_stays(self):
        with running_redis() as running:
            with open_server("rq", running.url) as server, server.client() as client:
                assert client.ping()
            assert running.keys() == []

    def test_on_a_unix_socket_in_both_spellings(self, nothing_stays):
        with open_server("rq", None) as other:
            for url in (other.url, other.celery_url):
                with open_server("rq", url) as server, server.client() as client:
                    assert client.ping()
                    assert (server.url, server.celery_url) == (other.url, other.celery_url)

    def test_password_is_used_and_never_shown(self):
        with running_redis("open-sesame") as running:
            with open_server("rq", running.url) as server, server.client() as client:
                assert client.ping()
            with pytest.raises(RacerError) as caught:
                open_server("rq", running.url.replace("open-sesame", "wrong-word"))
        assert f"rq: Redis at redis://127.0.0.1:{running.port}/0 does not answer: " in str(caught.value)
        assert "wrong-word" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("redis://127.0.0.1:1/0", "Redis at redis://127.0.0.1:1/0 does not answer: .*refused"),
            ("unix:///nowhere.sock", "Redis at unix:///nowhere.sock does not answer: .*No such file"),
            ("rediss://:secret@127.0.0.1:1/0", "Redis at rediss://127.0.0.1:1/0 does not answer: .*refused"),
            ("amqp://127.0.0.1", "Redis at amqp://127.0.0.1 is no URL of a Redis server: .*redis://"),
            ("redis://127.0.0.1:many/0", "is no URL of a Redis server: .*many"),
            ("redis://127.0.0.1/abc", "is no URL of a Redis server: .* number, not the name 'abc'"),
            ("redis://:secret/word@127.0.0.1/0", "Redis at redis://127.0.0.1/0 is no URL of a Redis server$"),
            ("redis://:secret?@127.0.0.1/0", "Redis at redis://127.0.0.1/0 is no URL of a Redis server$"),
            ("", "is no URL of a Redis server"),
        ],
    )
    def test_that_is_not_there(self, url, why):
        with pytest.raises(RacerError, match=f"^rq: .*{why}") as caught:
            open_server("rq", url)
        assert "secret" not in str(caught.value)

    def test_that_never_answers(self, monkeypatch):
        """A port where somebody listens and says nothing."""
        monkeypatch.setattr(servers, "CONNECT_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            begin = time.perf_counter()
            with pytest.raises(RacerError, match=f"^rq: Redis at {url} does not answer: Timeout"):
                open_server("rq", url)
        assert time.perf_counter() - begin < 5

    def test_five_seconds_are_its_time(self):
        assert servers.CONNECT_SECONDS == 5


def test_lost_names_the_first_items():
    with running_redis() as running, open_server("rq", running.url) as server:
        error = server.lost(OSError("gone"), enumerate("abcdefghijklmn"))
    assert str(error).startswith("rq: Redis at redis://127.0.0.1:")
    assert " does not answer: gone; items not done: item 0 ('a'), item 1 ('b')," in str(error)
    assert str(error).endswith("item 9 ('j') and 4 more")


def test_names_are_unique():
    assert len({servers.unique_name() for _ in range(1000)}) == 1000

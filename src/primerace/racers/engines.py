"""What a user sets of the engines beyond this program, to which some racers hand the job."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

POOLS = ("prefork", "threads")  # of Celery


@dataclass(frozen=True)
class Engines:
    """Where the engines are and how they work; where no address is given, a racer starts one of its own.

    Args:
        address: of a running Dask scheduler, such as tcp://127.0.0.1:8786.
        dask_threads: how many of Dask's workers are threads of one process.
        broker: URL of a running Redis for Celery and RQ, such as redis://127.0.0.1:6379/0.
        celery_pool: what Celery's workers are, 'prefork' (processes) or 'threads' (of one process).
        web_threads: how many of Gunicorn's workers are threads of one process.
    """

    address: str | None = None
    dask_threads: int = 1
    broker: str | None = None
    celery_pool: str = "prefork"
    web_threads: int = 1

    def to_json(self) -> dict[str, Any]:
        """What is set otherwise than by default, without passwords.

        >>> Engines(broker="redis://:secret@localhost/0", dask_threads=2).to_json()
        {'dask_threads': 2, 'broker': 'redis://localhost/0'}
        """
        shown = replace(self, address=without_password(self.address), broker=without_password(self.broker))
        return {name: value for name, value in asdict(shown).items() if value != getattr(Engines(), name)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The settings of a result; what this version does not know is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})

    def moved_to(self, places: "Engines") -> "Engines":
        """The same settings, with the engines where `places` has them, as far as it says so.

        >>> moved = Engines(broker="redis://localhost/0", dask_threads=2).moved_to(Engines(broker="redis://far/0"))
        >>> moved.broker, moved.dask_threads
        ('redis://far/0', 2)
        """
        return replace(self, address=places.address or self.address, broker=places.broker or self.broker)


def without_password(url: str | None) -> str | None:
    """The URL without user and password, as messages and results may show it.

    What a password may hold that a URL may not counts as a part of it: all up to the last `@` goes.

    >>> without_password("unix:///run/redis.sock?db=0&password=secret")
    'unix:///run/redis.sock?db=0'
    >>> without_password("redis://:sec/r@t@localhost/0")
    'redis://localhost/0'
    """
    if url is None:
        return None
    url = re.sub(r"(?<=[?&])(username|password)=[^&]*&?", "", url).rstrip("?&")
    return re.sub(r"^(\w[\w+.-]*://)?.*@", r"\1", url, flags=re.DOTALL)

"""What this program has of memory, and of what else it could leave behind."""

import gc
import sys
import threading
from time import monotonic, sleep

import psutil

PATIENCE = 10.0  # seconds
MINE = psutil.Process()


def state() -> tuple[int, int]:
    """Resident memory in bytes, and the blocks that Python has allocated."""
    gc.collect()
    return MINE.memory_info().rss, sys.getallocatedblocks()


def belongings() -> tuple[int, int, int]:
    """How many threads, children and open files there are."""
    return threading.active_count(), len(MINE.children(recursive=True)), MINE.num_fds()


def settle(owned: tuple[int, int, int]) -> None:
    """Wait a while for what ends by itself."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline and any(now > then for now, then in zip(belongings(), owned, strict=True)):
        gc.collect()
        sleep(0.1)

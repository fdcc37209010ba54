"""What a worker process costs in memory."""

from collections.abc import Sequence
from contextlib import suppress
from statistics import mean

import psutil


def bytes_per_worker(pids: Sequence[int]) -> int | None:
    """The mean memory of these processes; None where there are none or the system does not tell.

    Args:
        pids: process numbers.

    Returns:
        Bytes as PSS, in which a page shared by k processes counts 1/k in each; where the system has no PSS,
        the unshared bytes (USS).

    >>> import os
    >>> bytes_per_worker([os.getpid()]) > 1_000_000
    True
    """
    sizes = []
    for pid in pids:
        with suppress(psutil.Error):
            memory = psutil.Process(pid).memory_full_info()
            sizes.append(getattr(memory, "pss", memory.uss))
    return round(mean(sizes)) if sizes else None

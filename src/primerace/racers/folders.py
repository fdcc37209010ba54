"""A temporary folder that goes with this program, however that ends.

A shell stands by, in a session of its own so that Ctrl-C does not reach it. It removes the folder when its
standard input closes: when the block is left, or when the program is gone.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from primerace.children import interrupts_held

SWEEPER = ("sh", "-c", 'read -r _; rm -rf -- "$1"', "sweeper")


@contextmanager
def temporary_folder(prefix: str) -> Iterator[str]:
    """A folder that only this user may enter, with a name that begins so.

    >>> import os
    >>> with temporary_folder("primerace-") as folder:
    ...     os.listdir(folder)
    []
    >>> os.path.exists(folder)
    False
    """
    folder = tempfile.mkdtemp(prefix=prefix)
    with interrupts_held():
        sweeper = subprocess.Popen([*SWEEPER, folder], stdin=subprocess.PIPE, start_new_session=True)
    with sweeper:  # leaving it closes the shell's standard input, and waits for it
        yield folder

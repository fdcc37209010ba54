"""SHA-256 of every file of a tree: many small items, and most of the time in C and in the system.

    primerace advise --function ./examples/file_hashes.py:digest --items-from ./examples/file_hashes.py:files

The tree is the standard library of the Python that runs; HASH_TREE names another one.
"""

import hashlib
import os
import sysconfig
from collections.abc import Iterator

ROOT = os.environ.get("HASH_TREE") or sysconfig.get_path("stdlib")
LEFT_OUT = ("site-packages", "dist-packages", "__pycache__")


def digest(path: str) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files() -> Iterator[str]:
    """The paths of all files of the tree, in one order."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                yield path

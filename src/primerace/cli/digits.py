"""How many digits an integer may have as text, which Python limits to 4300 unless it is told otherwise.

There is no limit for what is typed and printed here. The user's code keeps the one that it has in worker
processes, and wherever else it runs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

NO_LIMIT = 0

_of_users_code = sys.get_int_max_str_digits()


@contextmanager
def unlimited() -> Iterator[None]:
    """Lift the limit for the command line."""
    global _of_users_code
    before = _of_users_code = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(NO_LIMIT)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@contextmanager
def of_users_code() -> Iterator[None]:
    """Set the limit as the user's code last had it: as Python does, unless that code has set another one."""
    global _of_users_code
    sys.set_int_max_str_digits(_of_users_code)
    try:
        yield
    finally:
        _of_users_code = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(NO_LIMIT)

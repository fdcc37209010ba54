"""Signals whose exception Python drops: they are sent once more.

A handler raises in the midst of whatever runs. Where that is a callback that must not raise (a finalizer, the
callback of a weak reference, what runs around a fork), Python prints the exception and goes on as if nothing
had come.
"""

import os
import signal
import sys
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

DELAY = 0.02  # seconds, by when the callback is over


class Terminated(SystemExit):
    """How SIGTERM ends this program; a plain SystemExit in a user's function is that function's own."""


SIGNALS = {Terminated: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}


def send_again(dropped: "UnraisableHookArgs") -> None:
    """What `sys.unraisablehook` is in this program."""
    sent = SIGNALS.get(dropped.exc_type)
    if sent is None:
        sys.__unraisablehook__(dropped)
        return
    timer = Timer(DELAY, os.kill, (os.getpid(), sent))
    timer.daemon = True
    timer.start()

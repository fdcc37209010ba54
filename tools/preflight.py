"""What the set-up needs, checked before it starts: one clear sentence for each thing that is missing.

Runs on Python 3.6 and newer, since a too old one is among the things that it has to tell.
"""

import os
import platform
import sys
import sysconfig
from shutil import which

OLDEST = (3, 11)


def has_venv():
    """Debian ships venv without ensurepip; both are needed."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def compiler():
    """The command that builds extension modules."""
    return (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]


def missing():
    """Yield a sentence for each thing that is missing."""
    if sys.version_info < OLDEST:
        version = platform.python_version()
        yield f"Python 3.11 or newer is needed, but {sys.executable} is {version}: name a newer one in PYTHON"
        return
    if not has_venv():
        yield "Python's venv module is needed: install it (Debian and Ubuntu: apt-get install python3-venv)"
    if which(compiler()) is None:
        yield f"a C compiler is needed, but there is no {compiler()}: install gcc, or name yours in CC"
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        yield "Python's headers are needed: install them (Debian and Ubuntu: apt-get install python3-dev)"


if __name__ == "__main__":
    sentences = list(missing())
    for sentence in sentences:
        print("primerace: " + sentence, file=sys.stderr)
    sys.exit(1 if sentences else 0)

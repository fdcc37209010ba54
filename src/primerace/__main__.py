"""`python -m primerace`, and what the command `primerace` starts."""

import sys

from primerace.exits import INTERRUPTED


def start() -> int:
    """Run the command line; Ctrl-C while it is still being loaded ends quietly too."""
    try:
        from primerace.cli import main
        from primerace.cli.dropped import send_again

        sys.unraisablehook = send_again
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(start())

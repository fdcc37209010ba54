"""`python -m primerace`."""

import sys

from primerace.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Count the primes among a hundred million random 64-bit integers, block by block, in bounded memory.

    python examples/dask_primes.py
    python examples/dask_primes.py tcp://127.0.0.1:8786

The first runs in threads of this process, the second on a running cluster; the count is the same. Nothing is
computed before `compute`, and then each thread has one block in memory.
"""

import sys

import dask.array as da
from dask.distributed import Client

from primerace import is_prime

COUNT = 100_000_000
BLOCK = 1_000_000


def main(count: int = COUNT) -> None:
    """Print how many there are among `count` numbers."""
    if sys.argv[1:]:
        Client(sys.argv[1])
    numbers = da.random.default_rng(1).integers(0, 1 << 64, size=count, dtype="uint64", chunks=BLOCK)
    print(is_prime(numbers).sum().compute())


if __name__ == "__main__":
    main()

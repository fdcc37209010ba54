"""The power of a signal by bands of frequency: NumPy does all the work, on blocks of two megabytes.

    primerace advise --function ./examples/fft_blocks.py:bands --items-from ./examples/fft_blocks.py:blocks

The signal is noise, the same every time.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCKS = 32
SAMPLES = 1 << 18  # in a block
BANDS = 16


def bands(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """The power of a block in each of 16 equally wide bands."""
    power = np.abs(np.fft.rfft(block)[1:]) ** 2
    in_bands: NDArray[np.float64] = power.reshape(BANDS, -1).sum(axis=1)
    return in_bands


def blocks() -> Iterator[NDArray[np.float64]]:
    """Blocks of samples, one after the other."""
    generator = np.random.default_rng(20)
    for _ in range(BLOCKS):
        yield generator.standard_normal(SAMPLES)

import numpy as np
from numpy.typing import NDArray

KERNELS: dict[str, int]

def has_openmp() -> bool: ...
def team(workers: int) -> int: ...
def run(
    kernel: str,
    numbers: NDArray[np.uint64],
    workers: int,
    stop: NDArray[np.uint8],
    answers: NDArray[np.uint8],
    wall: NDArray[np.float64],
    cpu: NDArray[np.float64],
    started: NDArray[np.float64],
    worker: NDArray[np.int32],
) -> None: ...

"""What the event loop hands work to besides threads: another process, another interpreter."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from primerace.children import interrupts_held, settle_in
from primerace.spinners.base import SpinError
from primerace.spinners.work import Work


async def in_process(work: Work) -> Any:
    """Hand the call to a process."""
    with _one_process() as executor:
        with interrupts_held():
            future = _submitted(executor, work)
        return await _result(future)


async def in_interpreter(work: Work) -> Any:
    """Hand the call to an interpreter with a GIL of its own."""
    with getattr(futures, "InterpreterPoolExecutor")(1) as executor:  # noqa: B009
        return await _result(_submitted(executor, work))


def _submitted(executor: Executor, work: Work) -> "asyncio.Future[Any]":
    return asyncio.get_running_loop().run_in_executor(executor, work.function, work.argument)


async def _result(future: "asyncio.Future[Any]") -> Any:
    try:
        return await future
    except BrokenExecutor as error:
        raise SpinError(f"the worker died: {error}") from None


@contextmanager
def _one_process() -> Iterator[Executor]:
    """An executor with one process, which is killed where its work is given up."""
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(1, initializer=settle_in)
    try:
        yield executor
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        executor.shutdown()

"""The spinners: one small animation in every concurrency model, and how smoothly it runs beside work."""

from primerace.racers.interpreters import no_interpreters
from primerace.spinners import coroutine, executors, process, thread
from primerace.spinners.base import Model, SpinError
from primerace.spinners.coroutine import watcher

__all__ = ["MODELS", "Model", "SpinError"]

ALL = ("sleep", "python", "held", "released")

MODELS: dict[str, Model] = {
    "thread": Model("a thread spins, the main thread is busy", ALL, thread.watch),
    "process": Model("a child process spins, the main process is busy", ALL, process.watch),
    "coroutine": Model(
        "a task spins; the sleep is awaited, kernels are called directly", ALL, watcher(coroutine.directly)
    ),
    "coroutine-broken": Model(
        "a task should spin, but the coroutine beside it blocks", ("sleep",), watcher(coroutine.blocking)
    ),
    "coroutine-nap": Model(
        "a task spins; the kernel is a coroutine that naps every 50,000 divisions",
        ("python",),
        watcher(coroutine.with_naps),
    ),
    "to-thread": Model(
        "a task spins; asyncio.to_thread has the work", ALL, watcher(coroutine.in_thread), in_thread=True
    ),
    "executor-process": Model(
        "a task spins; a ProcessPoolExecutor has the work", ALL, watcher(executors.in_process)
    ),
    "interpreter": Model(
        "a task spins; an InterpreterPoolExecutor has the work",
        ALL,
        watcher(executors.in_interpreter),
        in_thread=True,
        unavailable=no_interpreters,
    ),
}

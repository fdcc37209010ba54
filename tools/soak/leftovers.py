"""What a program leaves behind when it has ended: processes, files, shared memory.

All processes of an episode carry its name in their environment, however they were started and whoever is
their parent by now. Open sockets and pipes end with the processes that hold them.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from watching import HELPERS, alive, eventually

NAME = "PRIMERACE_SOAK"
SHARED_MEMORY = "/dev/shm"
PATIENCE = 15.0  # seconds within which all must be gone


@dataclass(frozen=True)
class Scene:
    """Where an episode takes place.

    Args:
        name: of the episode: the path of its folder, unlike that of any other one on this machine.
        folder: its own.
    """

    name: str
    folder: Path

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        """What the program is started with."""
        self.temporary.mkdir()
        place = str(self.temporary)
        return {**os.environ, NAME: self.name, "TMPDIR": place, "JOBLIB_TEMP_FOLDER": place}

    def leftovers(self, pid: int, files_too: bool) -> list[str]:
        """Name what is still there when all had time to go.

        Args:
            pid: of the program that has ended.
            files_too: whether files count as well; nobody can remove them after SIGKILL.
        """
        eventually(lambda: not self._left(pid, files_too), PATIENCE)
        return self._left(pid, files_too)

    def _left(self, pid: int, files_too: bool) -> list[str]:
        left = [f"process {each.pid}: {command_line(each)[:100]}" for each in processes_of(self.name)]
        if files_too:
            left += [f"temporary file {path.name}" for path in self.temporary.iterdir()]
            left += [f"shared memory {name}" for name in os.listdir(SHARED_MEMORY) if names(pid, name)]
        return left

    def clear(self) -> None:
        """End what is left, so that it does not disturb what follows."""
        kill(processes_of(self.name))


def processes_of(name: str) -> list[psutil.Process]:
    """Find the living processes of an episode; given the folder of many episodes, those of all."""
    return [each for each in psutil.process_iter() if belongs(each, name) and alive(each)]


def belongs(process: psutil.Process, name: str) -> bool:
    """Whether a process carries that name; one that can't be looked at is none of ours."""
    try:
        carried = process.environ().get(NAME)
    except (psutil.Error, OSError):
        return False
    return carried is not None and Path(carried).is_relative_to(name)


def end_all(name: str) -> None:
    """End the processes that `processes_of` finds, but those that tidy up when the others are gone."""
    found = processes_of(name)
    kill([each for each in found if not any(helper in command_line(each) for helper in HELPERS)])


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill those that have not ended by now."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def command_line(process: psutil.Process) -> str:
    """How a process was started, which may have ended by now."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "has just ended"


def names(pid: int, name: str) -> bool:
    """Whether a name in shared memory contains the number of a process, as those of Python and joblib do."""
    return re.search(rf"(?<!\d){pid}(?!\d)", name) is not None

"""Bars with the time left on a terminal, one line for each phase, however often a run comes back to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from evalharness.types import Advance
from evalharness.types import Progress as Phases


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bars:
    """The lines on the terminal, by the phase's name."""

    shown: Progress
    lines: dict[str, TaskID] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str, total: int) -> Iterator[Advance]:
        """The phase's line: a new one, or the one that is there, which grows by what is new to do."""
        if total == 0:
            yield lambda count: None
            return
        line = self._line(name, total)
        yield lambda count: self.shown.advance(line, count)
        # bars are drawn ten times a second, and a phase may end between two of them
        self.shown.refresh()

    def _line(self, name: str, total: int) -> TaskID:
        if name not in self.lines:
            self.lines[name] = self.shown.add_task(name, total=total)
            return self.lines[name]
        line = self.lines[name]
        done = self.shown.tasks[self.shown.task_ids.index(line)].completed
        self.shown.update(line, total=done + total)
        return line


@contextmanager
def bars() -> Iterator[Phases]:
    """The phases of one run on the terminal; nothing is printed where the error output is none."""
    output = Console(stderr=True)
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output, disable=not output.is_terminal) as shown:
        yield _Bars(shown=shown).phase


@contextmanager
def bar(name: str, total: int) -> Iterator[Advance]:
    """One phase with a bar of its own: for work that comes and goes, such as a run beside a training."""
    with bars() as phases, phases(name, total) as advance:
        yield advance

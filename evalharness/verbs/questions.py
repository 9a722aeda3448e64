"""Questions on a terminal: asked once each, again after an answer that cannot be used, and not at all elsewhere."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from evalharness.errors import HarnessError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Asks where `asked`, else takes the defaults."""

    asked: bool

    def answer(self, said: str | None, question: str, default: str | None, read: Callable[[str | None], T]) -> T:
        """What a flag `said`, else what a person answers, else the default (None = none), as `read` understands it.

        `read` raises HarnessError for what cannot be used; a person is then told why, and asked again.
        """
        if said is not None or not self.asked:
            return read(default if said is None else said)
        while True:
            sys.stdout.write(f"{question} [{'none' if default is None else default}]: ")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                raise KeyboardInterrupt
            try:
                return read(line.strip() or default)
            except HarnessError as error:
                sys.stdout.write(f"  {error}\n")

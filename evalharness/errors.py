"""The errors a user may meet, each one clear sentence and an exit code.

HarnessError (1)
└── InputError (2)      what was given cannot be used
    ├── ConfigError     overrides and configuration files
    ├── SuiteError      what is measured
    ├── SubjectError    LoRA files and their proof
    ├── BackendError    models and image makers
    ├── PerceptionError a model that should see, and does not
    └── StoreError      run folders
NotPromotedError (3, 4) a verdict that does not allow a promotion
"""

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of all errors raised on purpose; its message is one sentence a user can act on."""

    exit_code = 1


class InputError(HarnessError):
    """What was given cannot be used; nothing was lost."""

    exit_code = 2


class ConfigError(InputError):
    """An override or configuration file is wrong."""


class SuiteError(InputError):
    """A suite is wrong."""


class SubjectError(InputError):
    """A LoRA file is missing, damaged, or cannot be proven applied."""


class BackendError(InputError):
    """A model or image maker cannot be used."""


class PerceptionError(InputError):
    """A part of perception is missing or fails its self-test."""


class StoreError(InputError):
    """A run folder is locked, damaged, or belongs to something else."""


class NotPromotedError(HarnessError):
    """The verdict does not allow a promotion; the exit code is the verdict's."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def unknown(kind: str, given: str, known: Iterable[str]) -> str:
    """One sentence that names what was given, the nearest known name, and all of them.

    >>> unknown("scorer", "harmny", ["harmony", "faces"])
    "unknown scorer 'harmny'. Did you mean 'harmony'? Known: faces, harmony."
    """
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    return f"unknown {kind} '{given}'.{hint} Known: {', '.join(names) or 'none'}."

"""The command line: one verb a task; errors become one sentence and an exit code.

0 promoted or done · 1 crash · 2 bad input · 3 rejected · 4 inconclusive
"""

import argparse
import errno
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module

from evalharness import __version__
from evalharness.errors import HarnessError, InputError

VERBS = (
    "init",
    "run",
    "watch",
    "hook",
    "merge",
    "score",
    "calibrate",
    "gate",
    "pick",
    "compare",
    "promote",
    "report",
    "show",
    "list",
    "models",
    "doctor",
    "completion",
)
"""In the order of `--help`; each is a file in verbs/."""
STOPPED = 130
NOT_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""A disk that is full or may only be read is nothing that went wrong in here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; the entry point of `evalharness`."""
    options = parsed(arguments)
    try:
        code: int = options.do(options)
    except HarnessError as error:
        sys.stderr.write(f"evalharness: {error}\n")
        return error.exit_code
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        sys.stderr.write(f"evalharness: cannot write{where} ({error.strerror}); the same command goes on afterwards.\n")
        return InputError.exit_code
    except KeyboardInterrupt:
        again = shlex.join(["evalharness", *(sys.argv[1:] if arguments is None else arguments)])
        sys.stderr.write(f"evalharness: stopped; what was made is kept, and the same command goes on:\n  {again}\n")
        return STOPPED
    return code


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The verb and its arguments, in any order; exits with 2 and a sentence for unknown ones."""
    root = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        import argcomplete

        argcomplete.autocomplete(root, always_complete_options="long")
    options, late = root.parse_known_args(arguments)
    # argparse leaves over what follows a flag, such as `run suite=demo --dry-run seeds=[1]`
    if late and ("overrides" not in options or any(word.startswith("-") for word in late)):
        root.error(f"unrecognized arguments: {' '.join(late)}")
    if late:
        options.overrides = [*options.overrides, *late]
    return options


def parser() -> argparse.ArgumentParser:
    """All verbs and their flags."""
    root = argparse.ArgumentParser(prog="evalharness", description="Is this LoRA better, and how sure is that?")
    root.add_argument("--version", action="version", version=f"evalharness {__version__}")
    verbs = root.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name in VERBS:
        module = import_module(f"evalharness.verbs.{name}")
        verb = verbs.add_parser(name, help=module.HELP)
        module.add(verb)
        verb.set_defaults(do=module.do)
    return root


if __name__ == "__main__":
    sys.exit(main())

"""`evalharness completion SHELL`: the script with which a shell completes verbs, flags, suites and runs."""

import argparse
import sys

HELP = "print the completion script of bash, zsh or fish"
SHELLS = ("bash", "zsh", "fish")


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("shell", choices=SHELLS, help='for bash and zsh: eval "$(evalharness completion bash)"')


def do(options: argparse.Namespace) -> int:
    """Print the script."""
    from argcomplete.shell_integration import shellcode

    sys.stdout.write(shellcode(["evalharness"], shell=options.shell))
    return 0

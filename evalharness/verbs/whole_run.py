"""A configured run with its table and its page; its exit code is the verdict's."""

from evalharness import console
from evalharness.config import RunConfig
from evalharness.gate import exit_code
from evalharness.report.html import write_report
from evalharness.run import run


def whole_run(config: RunConfig) -> int:
    """Run, write the page, print the table."""
    finished = run(config, console.progress)
    console.print_finished(finished, write_report(config.folder, finished))
    return exit_code(finished.judgement.decision)

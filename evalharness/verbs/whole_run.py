"""A configured run with its table and its page; its exit code is the verdict's."""

from evalharness.bars import bars
from evalharness.config import RunConfig
from evalharness.gate import exit_code
from evalharness.interrupt import patient
from evalharness.report.html import write_report
from evalharness.run import run
from evalharness.verbs.answers import print_run


def whole_run(config: RunConfig, *, as_json: bool = False) -> int:
    """Run, write the page, print the table, or the same as JSON."""
    with bars() as shown, patient(shown) as progress:
        finished = run(config, progress)
    write_report(config.folder, finished)
    print_run(finished, config.folder, as_json=as_json)
    return exit_code(finished.judgement.decision)

"""A configured run with its table and its page; its exit code is the verdict's."""

import sys
from pathlib import Path

from evalharness.bars import bars
from evalharness.config import RunConfig
from evalharness.gate import exit_code
from evalharness.interrupt import patient
from evalharness.report.html import write_report
from evalharness.run import run
from evalharness.trackers.entries import entries
from evalharness.trackers.opened import Trackers
from evalharness.verbs.answers import print_run
from evalharness.verbs.grid_tables import print_grid


def whole_run(config: RunConfig, *, as_json: bool = False) -> int:
    """Run, write the page, print the table, or the same as JSON; tell the trackers."""
    if shards := unmerged(config.folder):
        complain(
            f"'{config.folder}' holds shards that were never merged ({shards}); this run makes their images again, "
            f"where `evalharness merge {config.folder}` would take them."
        )
    trackers = Trackers(config.trackers, config.folder, str(config.suite.get("name")), complain)
    with bars() as shown, patient(shown) as progress:
        finished = run(config, progress)
    page = write_report(config.folder, finished)
    print_run(finished, config.folder, as_json=as_json)
    if not as_json:
        print_grid(finished)
    trackers.log(entries(finished, config.folder, page))
    trackers.close()
    return exit_code(finished.judgement.decision)


def unmerged(folder: Path) -> int:
    """How many shards are in a folder that holds no run of its own yet."""
    return 0 if (folder / "run.json").is_file() else len(list(folder.glob("shard-*-of-*")))


def complain(sentence: str) -> None:
    """One sentence about what did not work, while the run goes on."""
    sys.stderr.write(f"evalharness: {sentence}\n")
    sys.stderr.flush()

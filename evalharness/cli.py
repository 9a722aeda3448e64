"""The command line: one verb a task; errors become one sentence and an exit code.

0 promoted or done · 1 crash · 2 bad input · 3 rejected · 4 inconclusive
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness import __version__
from evalharness.errors import HarnessError

if TYPE_CHECKING:
    from evalharness.config import RunConfig

OVERRIDES = "Hydra overrides, e.g. suite=harmony_grid backend.model=/path subjects='[/loras/*.safetensors]'"
LATEST = "the word promoted: the latest in --promoted-in by the same suite (a run's folder of that name is ./promoted)"
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; the entry point of `evalharness`."""
    options = parsed(arguments)
    try:
        code: int = options.verb(options)
    except HarnessError as error:
        sys.stderr.write(f"evalharness: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("evalharness: stopped; what was made is kept, and the same command goes on.\n")
        return STOPPED
    return code


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The verb and its arguments, in any order; exits with 2 and a sentence for unknown ones."""
    root = parser()
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
    run = verbs.add_parser("run", help="generate, score, compare, gate and report; the same command resumes")
    run.set_defaults(verb=_run)
    run.add_argument("--dry-run", action="store_true", help="print the plan: what would be made, what is there")
    _configured(run)
    score = verbs.add_parser("score", help="the same judgement of images that exist already")
    score.set_defaults(verb=_score)
    score.add_argument("images", type=Path, metavar="FOLDER", help="folder of PNG, JPEG or WebP files")
    _configured(score)
    calibrate = verbs.add_parser("calibrate", help="how far the judges agree with a person's labels")
    calibrate.set_defaults(verb=_calibrate)
    calibrate.add_argument("labels", type=Path, metavar="LABELS", help="a folder with labels.csv, or a CSV")
    _configured(calibrate)
    gate = verbs.add_parser("gate", help="judge a finished run again, alone or against what is promoted")
    gate.set_defaults(verb=_gate)
    gate.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")
    gate.add_argument(
        "--against",
        metavar="RUN[:SUBJECT]|promoted",
        help=f"what relative_to: promoted means: a subject (or the leader) of a run, or {LATEST}",
    )
    gate.add_argument("--strength", type=float, help="the other side's LoRA strength, where several were measured")
    _among(gate)
    pick = verbs.add_parser("pick", help="which epoch at which strength is best, and how sure that is")
    pick.set_defaults(verb=_pick)
    pick.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")
    pick.add_argument("--json", action="store_true", help="print the answer as JSON")
    compare = verbs.add_parser("compare", help="two subjects on equal draws: paired differences")
    compare.set_defaults(verb=_compare)
    side = f"a run's folder (its leader is meant), or RUN:SUBJECT, such as runs/demo:sakichan-000008, or {LATEST}"
    compare.add_argument("ours", metavar="A", help=side)
    compare.add_argument("theirs", metavar="B", help=side)
    compare.add_argument("--strength", type=float, help="the LoRA strength, where several were measured")
    _among(compare)
    compare.add_argument("--force", action="store_true", help="compare what is not comparable, and say so")
    promote = verbs.add_parser(
        "promote", help="copy a promoted LoRA with its evaluation card; refused without a verdict"
    )
    promote.set_defaults(verb=_promote)
    promote.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")
    promote.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder of promoted LoRAs")
    promote.add_argument("--subject", help="which subject; left out, the run's leader")
    promote.add_argument("--strength", type=float, help="the LoRA strength to use; left out, the likeliest best")
    promote.add_argument("--override", metavar="REASON", help="promote against the verdict, for this reason")
    promote.add_argument("--by", metavar="NAME", help="who overrides; both are recorded for ever")
    report = verbs.add_parser("report", help="write the page of a run again")
    report.set_defaults(verb=_report)
    report.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")
    return root


def _among(verb: argparse.ArgumentParser) -> None:
    text = "the folder of promoted LoRAs that the word promoted means (default: promoted)"
    verb.add_argument("--promoted-in", type=Path, default=Path("promoted"), metavar="DIR", help=text)


def _configured(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=OVERRIDES)
    verb.add_argument("--config-dir", type=Path, metavar="DIR", help="a folder searched before ./conf and our own")


def _run(options: argparse.Namespace) -> int:
    from evalharness import console
    from evalharness.config import compose
    from evalharness.forecast import forecast

    config = compose(options.overrides, options.config_dir)
    if options.dry_run:
        console.print_forecast(forecast(config))
        return 0
    return _do(config)


def _score(options: argparse.Namespace) -> int:
    from evalharness.config import compose_score

    return _do(compose_score(options.images, options.overrides, options.config_dir))


def _do(config: "RunConfig") -> int:
    from evalharness import console
    from evalharness.gate import exit_code
    from evalharness.report.html import write_report
    from evalharness.run import run

    finished = run(config, console.progress)
    console.print_finished(finished, write_report(config.folder, finished))
    return exit_code(finished.judgement.decision)


def _calibrate(options: argparse.Namespace) -> int:
    from evalharness import console
    from evalharness.calibrate import calibrate
    from evalharness.config import compose_calibration
    from evalharness.labels import read_labels

    labels = read_labels(options.labels)
    config = compose_calibration(options.labels, options.overrides, options.config_dir)
    console.print_calibration(*calibrate(config, labels, console.progress))
    return 0


def _gate(options: argparse.Namespace) -> int:
    from evalharness import console
    from evalharness.gate import exit_code
    from evalharness.regate import regate
    from evalharness.report.html import write_report
    from evalharness.sides import read_against

    against = read_against(options.run, options.against, options.strength, options.promoted_in)
    finished = regate(options.run, against)
    write_report(options.run, finished)
    for note in against.notes if against else ():
        sys.stdout.write(f"{note}\n")
    console.print_gate(finished)
    return exit_code(finished.judgement.decision)


def _pick(options: argparse.Namespace) -> int:
    from evalharness import console
    from evalharness.codec import encode_readably
    from evalharness.pick import pick
    from evalharness.record import load_run

    found = pick(load_run(options.run))
    if options.json:
        sys.stdout.write(encode_readably(found).decode())
    else:
        console.print_pick(found)
    return found.exit_code


def _compare(options: argparse.Namespace) -> int:
    from evalharness import console
    from evalharness.compare import compare
    from evalharness.sides import read_sides

    ours, theirs = read_sides(options.ours, options.theirs, options.strength, options.promoted_in)
    console.print_comparison(ours, theirs, compare(ours, theirs, force=options.force))
    return 0


def _promote(options: argparse.Namespace) -> int:
    from evalharness.errors import InputError
    from evalharness.promote import promote
    from evalharness.record import load_run
    from evalharness.report.card import Override

    if bool(options.override) != bool(options.by):
        raise InputError("--override and --by belong together: the reason, and who takes responsibility.")
    override = Override(by=options.by, reason=options.override) if options.by else None
    folder = promote(load_run(options.run), options.to, options.subject, override, options.strength)
    sys.stdout.write(f"promoted   {folder}\ncard       {folder / 'card.md'}\n")
    return 0


def _report(options: argparse.Namespace) -> int:
    from evalharness.record import load_run
    from evalharness.report.html import write_report

    sys.stdout.write(f"{write_report(options.run, load_run(options.run))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

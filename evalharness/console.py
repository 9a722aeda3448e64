"""What a run prints: a bar with the time left while it works, then the table of subjects and what follows from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evalharness.forecast import Forecast
from evalharness.types import BASELINE, Check, Decision, Estimate, FinishedRun, Gap, Outcome

if TYPE_CHECKING:
    from evalharness.compare import Comparison
    from evalharness.pick import Pick
    from evalharness.report.calibration import FigureRow
    from evalharness.sides import Side

EXIT_MEANINGS = {
    Decision.PROMOTE: "0: at least one subject passed every check",
    Decision.REJECT: "3: every subject failed a check",
    Decision.INCONCLUSIVE: "4: not enough evidence to promote or to reject",
}
PICK_MEANINGS = {
    0: "0: the best is separated from all others",
    3: "3: everything is rejected or breaks a constraint; the least bad leads",
    4: "4: others may be as good",
}
STYLES = {Decision.PROMOTE: "green", Decision.REJECT: "red", Decision.INCONCLUSIVE: "yellow"}
PLAIN_WIDTH = 140


def console() -> Console:
    """Colours and the terminal's width on a terminal, plain text of a fixed width elsewhere."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=PLAIN_WIDTH, no_color=True)


def print_forecast(forecast: Forecast) -> None:
    """The plan: images per subject, how many are there already, how many remain."""
    table = Table(title=f"plan of suite {forecast.suite} in {forecast.folder}", box=SIMPLE)
    for heading in ("subject", "images", "already there", "to make"):
        table.add_column(heading, justify="left" if heading == "subject" else "right")
    for row in forecast.rows:
        table.add_row(Text(row.subject), str(row.images), str(row.images - row.missing), str(row.missing))
    output = console()
    output.print(table)
    total, missing = sum(row.images for row in forecast.rows), sum(row.missing for row in forecast.rows)
    output.print(f"{total} images of {forecast.prompts} prompts, {missing} of them to make")
    if forecast.at_first < total:
        output.print(f"{forecast.at_first} at first; the budget makes more only where they decide which is best")


def print_finished(finished: FinishedRun, report: Path | str) -> None:
    """The table of subjects with verdicts, the reasons, the report's path and the exit code's meaning."""
    judgement = finished.judgement
    output = console()
    output.print(subjects_table(finished))
    for verdict in judgement.verdicts:
        decision = Text(f"{verdict.decision:<13}", style=STYLES[verdict.decision])
        output.print(Text.assemble(decision, f"{verdict.subject}: {verdict.reason}"))
    print_gaps(judgement.gaps, output)
    best = "; ".join(part for part in (judgement.selection.reason, judgement.selection.advice) if part)
    output.print(Text(f"\n{best}\n{judgement.reason}\n"))
    if finished.planned is not None:
        output.print(Text(f"budget     {len(finished.cells):,} of {finished.planned:,} images were made"))
    output.print(Text(f"report     {report}"))
    output.print(Text(f"exit code  {EXIT_MEANINGS[judgement.decision]}"))


def print_gate(finished: FinishedRun) -> None:
    """Every check of every subject with its reason, the decision, and the exit code's meaning."""
    output = console()
    for verdict in finished.judgement.verdicts:
        output.print(Text.assemble(Text(f"{verdict.decision:<13}", style=STYLES[verdict.decision]), verdict.subject))
        for check in verdict.checks:
            output.print(Text(f"  {check.outcome:<13}{check.reason}"))
    output.print(Text(f"\n{finished.judgement.reason}\nexit code  {EXIT_MEANINGS[finished.judgement.decision]}"))


def subjects_table(finished: FinishedRun) -> Table:
    """One row per subject and strength: each metric's mean, the chance of being best, the verdict."""
    decisions = {verdict.subject: verdict.decision for verdict in finished.judgement.verdicts}
    candidates = finished.judgement.selection.candidates
    chances = {(entry.subject, entry.strength): entry.probability_best for entry in candidates}
    means = {(s.subject, s.strength, s.metric): s.estimate for s in finished.judgement.summaries}
    table = Table(title=f"suite {finished.suite}: {len(finished.cells)} images", box=SIMPLE)
    table.add_column("subject")
    for metric in finished.metrics.values():
        table.add_column(metric.name.replace("_", " "), justify="right")
    table.add_column("P(best)", justify="right")
    table.add_column("verdict")
    for subject, strength in dict.fromkeys((s, t) for s, t, _ in means):
        shares = [_mean(means.get((subject, strength, metric))) for metric in finished.metrics]
        chance = f"{chances[subject, strength]:.2f}" if (subject, strength) in chances else ""
        label = Text(subject if subject == BASELINE else f"{subject} @ {strength:g}")
        table.add_row(label, *shares, chance, _decision(decisions.get(subject)))
    return table


def print_gaps(gaps: Sequence[Gap], output: Console) -> None:
    """What could be judged less often for one subject than for the others."""
    for gap in gaps:
        output.print(Text(f"{'note':<13}{gap.reason}", style="yellow"))


def print_pick(found: "Pick") -> None:
    """Every candidate, the most likely first, what 'best' means, and the answer in words."""
    table = Table(title="which one is best", box=SIMPLE)
    for heading in ("subject", "P(best)", "on these prompts", "objective", "95 % interval", "constraints", "verdict"):
        table.add_column(heading, justify="left" if heading in ("subject", "constraints", "verdict") else "right")
    for one in found.candidates:
        leads = (one.subject, one.strength) == (found.subject, found.strength)
        estimate, tied = one.objective, " (tied)" if one.tied and not leads else ""
        low, high = estimate.low, estimate.high
        table.add_row(
            Text(f"{one.subject} @ {one.strength:g}{tied}"),
            f"{one.probability_best:.2f}",
            "-" if one.probability_here is None else f"{one.probability_here:.2f}",
            _mean(estimate),
            "-" if low is None or high is None else f"{low:.2f} to {high:.2f}",
            Text(_constraints(one.constraints)),
            _decision(found.verdicts.get(one.subject)),
        )
    output = console()
    output.print(table)
    terms = ", ".join(
        f"{100 * term.share:.0f} % {term.metric}{f' ({term.unit})' if term.unit else ''}"
        f"{'' if term.higher_is_better else ', lower is better'}"
        for term in found.objective
    )
    output.print(Text(f"objective  {terms}"))
    if found.strength_needed:
        needed = ", ".join(f"{name} {strength:g}" for name, strength in found.strength_needed.items())
        output.print(Text(f"strength   each is best at: {needed}"))
    for gap in found.gaps:
        output.print(Text(f"note       {gap}", style="yellow"))
    if found.expected_loss is not None:
        output.print(Text(f"risk       another is better by {found.expected_loss:.3f} of the objective, on average"))
    output.print(Text("\n" + "; ".join(part for part in (found.sentence, found.advice) if part)))
    output.print(Text(f"exit code  {PICK_MEANINGS[found.exit_code]}"))


def _constraints(checks: Sequence[Check]) -> str:
    """'kept', or the constraint that is broken or open."""
    broken = [check.reason for check in checks if check.outcome is Outcome.FAIL]
    undecided = [check for check in checks if check.outcome is Outcome.INCONCLUSIVE]
    if broken:
        return f"broken: {broken[0]}"
    if undecided:
        return f"{len(checks) - len(undecided)} kept, {len(undecided)} open"
    return f"{len(checks)} kept" if checks else "none"


def print_calibration(figures: "Sequence[FigureRow]", page: Path) -> None:
    """Every figure of agreement with its interval, and where the images are on which judges differ."""
    table = Table(title="agreement with the labels", box=SIMPLE)
    for heading in ("figure", "value", "95 % interval", "images"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for row in figures:
        table.add_row(row.name, row.value, row.interval, str(row.images))
    output = console()
    output.print(table)
    output.print(Text(f"figures    {page.with_name('agreement.json')}\ndiffering  {page}"))


WORDS = {"better": "A is better", "worse": "A is worse", "open": "cannot be told apart", "no pairs": "no equal draws"}


def print_comparison(ours: "Side", theirs: "Side", comparison: "Comparison") -> None:
    """Both sides' means, the paired differences with intervals that hold together, and what those say."""
    found = comparison.differences
    table = Table(
        title=f"A: {ours.subject} @ {ours.strength:g}   B: {theirs.subject} @ {theirs.strength:g}", box=SIMPLE
    )
    for heading in ("metric", "A", "B", "A - B", "interval of A - B", "pairs", "says"):
        table.add_column(heading, justify="left" if heading in ("metric", "says") else "right")
    for one in found:
        low, high = one.paired.low, one.paired.high
        interval = "-" if low is None or high is None else f"{low:+.2f} to {high:+.2f}"
        mean = "-" if one.paired.mean is None else f"{one.paired.mean:+.2f}"
        means = (_mean(one.ours), _mean(one.theirs), mean, interval, str(one.paired.scored))
        table.add_row(one.metric.name.replace("_", " "), *means, WORDS[one.says])
    output = console()
    output.print(table)
    output.print(Text(_together(len(found), comparison.level)))
    if comparison.other_seeds:
        output.print(Text("other seeds: paired by prompt, which is less precise than equal draws"))
    for note in (*ours.notes, *theirs.notes):
        output.print(Text(note))
    for reason in comparison.obstacles:
        output.print(Text(f"not comparable: {reason}", style="yellow"))


def _together(metrics: int, level: float) -> str:
    if metrics < 2:
        return "the interval is a 95 % interval"
    return (
        f"the intervals of all {metrics} metrics hold together with 95 % (each {100.0 * level:.1f} %): "
        "of equal subjects, at most 5 % are called better or worse in anything"
    )


def _mean(estimate: Estimate | None) -> str:
    return "-" if estimate is None or estimate.mean is None else f"{estimate.mean:.2f}"


def _decision(decision: Decision | None) -> Text:
    return Text("baseline") if decision is None else Text(decision, style=STYLES[decision])

"""What must come out of a demo run, by the truth in data/truth.json; sentences for all that does not."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from evalharness.errors import InputError
from evalharness.paths import resolve
from evalharness.types import Decision, Judgement

NEIGHBOUR = 0.05
"""Truth marks (0 to 1) this close to the best one's cannot be told apart by a run as small as the demo's."""

CLEARLY_WORSE = 0.25
FAULTY = ("flipped", "orange", "rope")


def read_truth() -> Mapping[str, Any]:
    """truth.json: `best`, and under `subjects` the shares and the overall mark of every LoRA."""
    path = resolve("demo:truth.json")
    if not path.is_file():
        raise InputError(
            f"'{path}' is missing, so verdicts cannot be checked; make it: python -m evalharness.demo.truth"
        )
    truth: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return truth


def surprises(judgement: Judgement, truth: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """One sentence for each way in which the verdicts contradict the truth; empty where they agree."""
    known = truth if truth is not None else read_truth()
    marks = {name: shares["overall"] for name, shares in known["subjects"].items()}
    return (*_selection(judgement, marks, known["best"]), *_verdicts(judgement, marks, known["best"]))


def _selection(judgement: Judgement, marks: Mapping[str, float], best: str) -> Iterator[str]:
    """The best epoch, or one as good, must lead or be tied with the leader."""
    entrants = {candidate.subject: candidate for candidate in judgement.selection.candidates}
    named = [name for name, entrant in entrants.items() if entrant.tied or name == judgement.selection.leader]
    if best in entrants and not any(marks[best] - marks[name] <= NEIGHBOUR for name in named):
        yield f"the best epoch by truth is '{best}', and the run names {', '.join(named) or 'none'}"


def _verdicts(judgement: Judgement, marks: Mapping[str, float], best: str) -> Iterator[str]:
    for verdict in judgement.verdicts:
        name, decision = verdict.subject, verdict.decision
        if name in FAULTY and decision is not Decision.REJECT:
            yield f"'{name}' carries a planted fault and is {decision}"
        elif decision is Decision.PROMOTE and marks[best] - marks[name] > CLEARLY_WORSE:
            yield f"'{name}' is clearly worse than '{best}' by truth and is promoted"
        elif decision is Decision.REJECT and name not in FAULTY and marks[best] - marks[name] <= NEIGHBOUR:
            yield f"'{name}' is as good as the best by truth and is rejected: {verdict.reason}"

"""What a check found, as a person would write it."""

from dataclasses import dataclass

from evalharness.types import Estimate, MetricInfo, Rule

# What passing means, for the metrics we ship; others are called by their names.
PASSING = {
    "artifacts": "nothing forbidden",
    "base_drift": "a picture like the base's",
    "color_drift": "hair colour as in the references",
    "diversity": "pictures that differ over seeds",
    "eye_color_drift": "eye colour as in the references",
    "faces": "the asked number of faces",
    "hair_side": "hair on the asked side",
    "hairstyle": "the asked hairstyle",
    "harmony": "a harmonious face",
    "parts": "all parts of the face",
    "skin_color_drift": "skin colour as in the references",
    "stars": "stars for harmony",
}

SHARES = ("share_passing", "share_scored")
"""Aggregates that count images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule with what was measured for it; `passed` counts scored images (or pairs) that pass on their own.

    `judge_alone` images have a score that does not count, as a vision-language model alone vouches for it.
    """

    rule: Rule
    metric: MetricInfo
    estimate: Estimate
    passed: int
    judge_alone: int = 0


def fact(finding: Finding) -> str:
    """Measured and asked: 'hair on the asked side in 9 of 24 images, at least 80 % asked'."""
    return f"{_measured(finding)}{_slice(finding.rule)}, {_asked(finding)}"


def doubt(finding: Finding, checks: int, alone: bool) -> str:
    """Why a check stays open; `alone` = it fails on its own, but not among so many checks."""
    return f"{_why_open(finding, checks, alone)}{_left_out(finding)}"


def _left_out(finding: Finding) -> str:
    if not finding.judge_alone:
        return ""
    images = f"{finding.judge_alone} more image{_s(finding.judge_alone)}"
    return f"; {images} a judge alone vouches for, which counts only with judge_alone: true"


def _why_open(finding: Finding, checks: int, alone: bool) -> str:
    estimate = finding.estimate
    if estimate.scored < finding.rule.minimum_scored or estimate.mean is None:
        return _too_few(finding)
    if alone:
        return f"{fact(finding)}: missed taken alone, but that may be chance among {checks} checks"
    if estimate.low is None or estimate.high is None:
        prompts = f"{estimate.prompts} prompt{_s(estimate.prompts)}"
        return f"{fact(finding)}: {prompts} without spread cannot tell how sure that is"
    low, high = (_number(finding, bound) for bound in (estimate.low, estimate.high))
    return f"{fact(finding)}: the truth may be anywhere from {low} to {high}{_unreachable(finding)}"


def _measured(finding: Finding) -> str:
    rule, estimate = finding.rule, finding.estimate
    if rule.relative_to != "absolute":
        rival = "the baseline" if rule.relative_to == "baseline" else "what is promoted"
        return f"{_name(finding)} {_number(finding, estimate.mean)} against {rival} over {estimate.scored} pairs"
    if rule.aggregate in SHARES:
        return f"{_name(finding)} in {finding.passed} of {estimate.scored} images"
    return f"{_name(finding)} {_number(finding, estimate.mean)} over {estimate.scored} images"


def _asked(finding: Finding) -> str:
    rule = finding.rule
    limits = (("at least", rule.at_least), ("at most", rule.at_most))
    return f"{' and '.join(f'{word} {_number(finding, limit)}' for word, limit in limits if limit is not None)} asked"


def _name(finding: Finding) -> str:
    metric = finding.metric.name
    if finding.rule.aggregate == "share_scored":
        return f"{metric} judged at all"
    if finding.rule.aggregate == "share_passing":
        return PASSING.get(metric, f"{metric} passing")
    return metric.replace("_", " ")


def _number(finding: Finding, value: float | None) -> str:
    if value is None:
        return "unknown"
    sign = "+" if finding.rule.relative_to != "absolute" else ""
    if finding.rule.aggregate in SHARES:
        return f"{100.0 * value:{sign}.0f} {'percentage points' if sign else '%'}"
    return f"{finding.metric.unit} {value:{sign}.2f}".strip()


def _slice(rule: Rule) -> str:
    return f" ({', '.join(f'{key} {value}' for key, value in rule.where.items())})" if rule.where else ""


def _too_few(finding: Finding) -> str:
    rule, estimate = finding.rule, finding.estimate
    if rule.relative_to == "promoted" and not estimate.scored:
        metric = finding.metric.name
        return f"{metric} has nothing promoted to be compared with; use evalharness gate RUN --against promoted"
    things = "images" if rule.relative_to == "absolute" else "pairs"
    counted = f"{estimate.scored} of {estimate.scored + estimate.unscored} {things}"
    return f"{finding.metric.name}{_slice(rule)} is scored in {counted}, at least {rule.minimum_scored} needed"


def _unreachable(finding: Finding) -> str:
    rule = finding.rule
    extreme = rule.at_least == 1.0 or rule.at_most == 0.0
    if rule.aggregate in SHARES and rule.relative_to == "absolute" and extreme:
        return "; no number of images can prove exactly that, ask for a little less"
    return ""


def _s(count: int) -> str:
    return "" if count == 1 else "s"

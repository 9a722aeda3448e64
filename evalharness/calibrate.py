"""How far perception and scorers agree with a person's labels, and the images where they do not."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalharness.backends.folder import read_image
from evalharness.codec import encode_readably
from evalharness.config import RunConfig
from evalharness.digest import file_digest
from evalharness.errors import InputError
from evalharness.labels import Label
from evalharness.lookers import Lookers, processes
from evalharness.perception.base import Perceiver, be_ready
from evalharness.prepare import open_scorers
from evalharness.registry import find
from evalharness.replacing import write_whole
from evalharness.report.calibration import Answer, Calibration, Disagreement, FigureRow, write_calibration
from evalharness.scorers.evidence import main_face, several
from evalharness.scorers.harmony import Harmony
from evalharness.stats.agreement import (
    Agreement,
    Measure,
    accuracy,
    agree,
    f1,
    macro_f1,
    precision,
    quadratic_kappa,
    rate,
    recall,
)
from evalharness.stats.fitting import Fit, fit_stars
from evalharness.store import StoredImage
from evalharness.types import EMOTIONS, Cell, Expectation, Failure, Observation, Progress, Prompt, Score, Setting

NOT_SEEN = "none"
CLOSED = ("closed", "missing")
MANY = 32
"""Images from which processes beside this one see enough of them after their first to tell how fast they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled image with what was seen, the harmony and emotion judged, and the seconds that took, where known.

    Of several processes each image takes so much less of the time.
    """

    label: Label
    seen: Observation
    score: Score
    stars: int | None
    emotion: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something both judges answer in words; `ask` gives (person, machine), or None where the person says nothing."""

    name: str
    ask: Callable[[Judged], tuple[str, str] | None]


def calibrate(config: RunConfig, labels: Sequence[Label], progress: Progress) -> tuple[Sequence[FigureRow], Path]:
    """Judge all labelled images; write agreement.json and the page of differences; the figures in words, the page."""
    return write_agreement(config, judge_labels(config, labels, progress))


def write_agreement(config: RunConfig, judged: Sequence[Judged]) -> tuple[Sequence[FigureRow], Path]:
    """Write agreement.json and the page of differences; returns the figures in words and the page's path."""
    figures = agreements(judged, np.random.default_rng(0))
    config.folder.mkdir(parents=True, exist_ok=True)
    write_whole(config.folder / "agreement.json", encode_readably(figures).decode("utf-8"))
    rows = [figure_row(name, figure) for name, figure in figures.items()]
    stars = [one.label.blind for one in judged if one.label.stars is not None]
    found = Calibration(
        name=config.folder.name,
        figures=rows,
        confusion=confusion(judged),
        differing=disagreements(judged),
        wrong=Counter(name for one in judged for name in one.label.wrong),
        rated=len(stars),
        blind=sum(stars),
        language=config.report.language,
    )
    return rows, write_calibration(config.folder, found)


def figure_row(name: str, figure: Agreement) -> FigureRow:
    """A figure in words; where the images cannot tell, a dash."""
    known = figure.value is not None
    return FigureRow(
        name=name.replace("_", " "),
        value=f"{figure.value:.2f}" if known else "-",
        interval=f"{figure.low:.2f} to {figure.high:.2f}" if known else "-",
        images=figure.n,
    )


def judge_labels(config: RunConfig, labels: Sequence[Label], progress: Progress) -> tuple[Judged, ...]:
    """Look at every labelled image and judge its harmony; raises InputError for one that cannot be read."""
    perceiver: Perceiver = find("perception", config.perception.name)(**config.perception.options)
    be_ready(perceiver)
    harmony = _harmony(config)
    images = [_stored(str(number), label.path) for number, label in enumerate(labels)]
    beside = processes(config.perception.workers, len(images)) if len(images) >= MANY else 0
    seen: dict[str, Observation] = {}
    with Lookers(perceiver, beside) as lookers, progress("images", len(labels)) as advance:
        lookers.give(images)
        for some in lookers.rest():
            seen.update(some)
            advance(len(some))
    looked = zip(labels, images, strict=True)
    return tuple(_judge(label, seen[one.key], harmony, lookers.seconds.get(one.key)) for label, one in looked)


def _stored(key: str, path: Path) -> StoredImage:
    image = read_image(path)
    if isinstance(image, Failure):
        raise InputError(f"{image.reason}; remove its row or replace the image.")
    return StoredImage(key, path, file_digest(path))


def _judge(label: Label, seen: Observation, harmony: Harmony, looking: float | None) -> Judged:
    started = time.perf_counter()
    score = harmony.score(_cell(label), seen, None)
    judging = time.perf_counter() - started
    stars = None if score.value is None else harmony.stars(score.value)
    emotion, seconds = harmony.emotion(seen), None if looking is None else looking + judging
    return Judged(label=label, seen=seen, score=score, stars=stars, emotion=emotion, seconds=seconds)


def _cell(label: Label) -> Cell:
    """The cell that the image would be if a suite had asked for it."""
    prompt = Prompt(
        id=label.path.name, text="", expect=Expectation(emotion=label.asked, archetype=label.archetype, faces=1)
    )
    name, source = label.path.name, str(label.path)
    return Cell(
        key=name, pair_key=name, subject=name, strength=1.0, prompt=prompt, setting=Setting(), seed=0, source=source
    )


def fit(config: RunConfig, judged: Sequence[Judged]) -> Fit:
    """Harmony's thresholds fitted to the stars; raises InputError where too few images have both."""
    graded = [(one.score.value, one.label.stars) for one in judged]
    both = [(value, stars) for value, stars in graded if value is not None and stars is not None]
    harmony = _harmony(config)
    values, stars = [value for value, _ in both], [stars for _, stars in both]
    return fit_stars(values, stars, (harmony.two_stars, harmony.three_stars))


def _harmony(config: RunConfig) -> Harmony:
    (harmony,) = open_scorers(config.scoring, ("harmony",))
    assert isinstance(harmony, Harmony)
    return harmony


# What both are asked


def _people(judged: Judged) -> tuple[str, str] | None:
    if judged.label.several is None:
        return None
    machine = "several" if several(judged.seen) else "one" if judged.seen.faces else NOT_SEEN
    return "several" if judged.label.several else "one", machine


def _mouth(judged: Judged) -> tuple[str, str] | None:
    if judged.label.mouth not in ("present", "absent"):
        return None
    states = _states(judged, ("mouth",))
    return judged.label.mouth, "absent" if states == ["missing"] else "present" if states else NOT_SEEN


def _eyes(judged: Judged) -> tuple[str, str] | None:
    if judged.label.eyes not in ("both", "one", "closed", "none"):
        return None
    states = _states(judged, ("left_eye", "right_eye"))
    shut = any(state in CLOSED for state in states) and "present" not in states
    return ("shut" if judged.label.eyes in ("closed", "none") else "open"), (
        "shut" if shut else "open" if states else NOT_SEEN
    )


def _emotion(judged: Judged) -> tuple[str, str] | None:
    allowed = judged.label.emotions
    if not allowed:
        return None
    machine = judged.emotion or NOT_SEEN
    return (machine if machine in allowed else allowed[0]), machine


def _stars(judged: Judged) -> tuple[str, str] | None:
    if judged.label.stars is None or judged.stars is None:
        return None
    return str(judged.label.stars), str(judged.stars)


def _states(judged: Judged, names: tuple[str, ...]) -> list[str]:
    face = main_face(judged.seen)
    return [part.state for part in face.parts if part.name in names] if face else []


PEOPLE, MOUTH, EYES, EMOTION, STARS = (
    Question(name="people", ask=_people),
    Question(name="mouth", ask=_mouth),
    Question(name="eyes", ask=_eyes),
    Question(name="emotion", ask=_emotion),
    Question(name="stars", ask=_stars),
)
QUESTIONS = (PEOPLE, MOUTH, EYES, EMOTION, STARS)


# What comes of it


def agreements(judged: Sequence[Judged], rng: np.random.Generator) -> dict[str, Agreement]:
    """Every figure of agreement.json, by its key."""

    def figure(measure: Measure, question: Question, code: Callable[[str], int]) -> Agreement:
        answers = _answers(judged, question)
        return agree(measure, [code(person) for person, _ in answers], [code(machine) for _, machine in answers], rng)

    return {
        "one_face_recall": figure(recall, PEOPLE, lambda word: int(word == "one")),
        "several_precision": figure(precision, PEOPLE, lambda word: int(word == "several")),
        "several_recall": figure(recall, PEOPLE, lambda word: int(word == "several")),
        "mouth_missing_f1": figure(f1, MOUTH, lambda word: int(word == "absent")),
        "eyes_f1": figure(f1, EYES, lambda word: int(word == "shut")),
        "emotion_macro_f1": figure(macro_f1, EMOTION, _emotion_code),
        "emotion_accuracy": figure(accuracy, EMOTION, _emotion_code),
        "stars_kappa": figure(quadratic_kappa, STARS, int),
        "images_per_second": rate([one.seconds for one in judged if one.seconds is not None], rng),
    }


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """How often a person's emotion (outer) is the machine's (inner); `none` = no emotion was read."""
    names = (*EMOTIONS, NOT_SEEN)
    answers = _answers(judged, EMOTION)
    return {person: {machine: answers.count((person, machine)) for machine in names} for person in EMOTIONS}


def disagreements(judged: Sequence[Judged]) -> tuple[Disagreement, ...]:
    """The images whose answers differ, most and largest differences first; last those that only have a note."""
    differing = [one for one in map(_disagreement, judged) if one.answers or one.wrong or one.note]
    return tuple(sorted(differing, key=_severity, reverse=True))


def _answers(judged: Sequence[Judged], question: Question) -> list[tuple[str, str]]:
    return [answer for one in judged if (answer := question.ask(one)) is not None]


def _emotion_code(word: str) -> int:
    return EMOTIONS.index(word) if word in EMOTIONS else -1


def _different(judged: Judged) -> Iterator[Answer]:
    for question in QUESTIONS:
        answer = question.ask(judged)
        if answer and answer[0] != answer[1]:
            yield Answer(question=question.name, person=answer[0], machine=answer[1])


def _severity(differing: Disagreement) -> int:
    """One for each answer that differs or score that is called wrong, and one more where three stars meet one."""
    gaps = [abs(int(a.person) - int(a.machine)) for a in differing.answers if a.question == STARS.name]
    return len(differing.answers) + len(differing.wrong) + sum(gaps) - len(gaps)


def _disagreement(judged: Judged) -> Disagreement:
    return Disagreement(
        path=judged.label.path,
        size=(judged.seen.width, judged.seen.height),
        answers=tuple(_different(judged)),
        reason=judged.score.reason,
        marks=judged.score.evidence,
        wrong=judged.label.wrong,
        note=judged.label.note,
    )

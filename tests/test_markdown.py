"""The comment for a pull request: escaped, short enough for GitHub, with the worst images."""

import dataclasses
import re
from html import unescape
from pathlib import Path

import pytest
from judging import cell_of, metric, scored
from markdown_it import MarkdownIt
from sample_run import LEADER, sample_input

from evalharness.answer import Answer, answer_of, focus_of
from evalharness.report.escape import for_markdown
from evalharness.report.markdown import MOST_BYTES, markdown
from evalharness.report.worst import worst_images
from evalharness.types import BASELINE, Cell, Failure, FinishedRun, Judgement, Outcome

HOSTILE = "a|b\n# h <img src=x onerror=1> [x](http://evil) ![y](http://evil/y.png) @all #1 `c` *d* <!-- evalharness"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("run"))


def html(text: str) -> str:
    """As GitHub renders it, as far as tables and links go."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").render(text)


def answered(run: FinishedRun) -> Answer:
    return answer_of(Path("runs/x"), run, None)


def test_comment_says_verdict_checks_and_differences_of_the_promoted_one(run: FinishedRun) -> None:
    page = html(markdown(run, focus_of(answered(run))))
    assert "<h3>✔ Promote: suite demo</h3>" in page
    assert f"<h4>Checks of {LEADER}</h4>" in page
    assert "Judged against the base model without LoRA." in page
    assert page.count("<table>") == 3
    for name in run.metrics:
        assert f"<td>{name.replace('_', '_')}</td>" in page
    for verdict in run.judgement.verdicts:
        assert f"<td>{verdict.subject}</td>" in page


def test_differences_are_those_of_compare(run: FinishedRun) -> None:
    answer = answered(run)
    assert {one.metric.name for one in answer.differences} == set(run.metrics)
    harmony = next(one for one in answer.differences if one.metric.name == "harmony")
    assert harmony.paired.mean is not None
    assert harmony.ours.mean is not None
    assert harmony.theirs.mean is not None
    # paired over draws that both have a score for: near the difference of means, not it
    assert harmony.paired.mean == pytest.approx(harmony.ours.mean - harmony.theirs.mean, abs=0.1)


def test_three_worst_images_are_links_relative_to_the_report(run: FinishedRun) -> None:
    answer = answered(run)
    links = re.findall(r'<a href="(\./[^"]+)">([^<]+)</a>', html(markdown(run, focus_of(answer))))
    assert [link for link, _ in links] == [f"./{one.image}" for one in answer.worst]
    assert len(links) == 3
    for _, words in links:
        assert words.startswith(f"{LEADER}, strength ")
        assert "prompt" in words
        assert "seed" in words
    page = html(markdown(run, focus_of(answer), "https://reports.example/7/"))
    assert f'<img src="https://reports.example/7/{answer.worst[0].image}" alt="{LEADER}, strength' in page


def small(values: list[tuple[Cell, float | None]], judgement: Judgement) -> FinishedRun:
    cells = tuple(cell for cell, _ in values)
    return FinishedRun(
        title="small",
        run="small",
        record={},
        suite="small",
        subjects=(),
        cells=cells,
        images={cell.key: f"images/{number}.png" for number, cell in enumerate(cells)},
        scores={cell.key: scored(cell, drift=value) for cell, value in values},
        metrics={"drift": metric("drift", higher_is_better=False, unit="deltaE00")},
        judgement=judgement,
    )


def test_worst_images_are_measured_by_all_of_the_run(run: FinishedRun) -> None:
    none = dataclasses.replace(run.judgement, verdicts=())
    base = [(cell_of(BASELINE, "a", 1), 1.0)]
    # all equally bad, yet worse than the baseline's: each prompt is shown before a prompt is shown twice
    bad = [(cell_of("bad", prompt, seed), 5.0) for prompt in ("a", "b") for seed in (1, 2)]
    shown = [one.image for one in worst_images(small([*base, *bad], none), "bad")]
    assert shown == ["images/1.png", "images/3.png", "images/2.png"]
    good = [(cell_of("good", "a", 1), 0.5), (cell_of("good", "a", 2), None)]
    assert worst_images(small([*base, *good], none), "good") == ()
    mixed = small(
        [*base, *((cell_of("x", name, 1), value) for name, value in (("a", 2.0), ("b", 9.0), ("c", 3.0)))], none
    )
    assert [one.value for one in worst_images(mixed, "x")] == [9.0, 3.0, 2.0]
    lost = dataclasses.replace(mixed, images={**mixed.images, mixed.cells[2].key: Failure(reason="no memory")})
    assert [one.value for one in worst_images(lost, "x")] == [3.0, 2.0]


def test_metric_of_a_failed_check_decides_which_images_are_shown(run: FinishedRun) -> None:
    flipped = next(one for one in run.judgement.verdicts if one.subject == "flipped")
    assert [check.rule.metric for check in flipped.checks if check.outcome is Outcome.FAIL] == ["hair_side"]
    assert {one.metric for one in worst_images(run, "flipped")} == {"hair_side"}


def hostile(run: FinishedRun, text: str, copies: int = 1) -> FinishedRun:
    """The run with this text in every place that a user fills."""
    verdicts = tuple(
        dataclasses.replace(
            one, reason=text, checks=tuple(dataclasses.replace(check, reason=text) for check in one.checks * copies)
        )
        for one in run.judgement.verdicts * copies
    )
    cells = tuple(dataclasses.replace(one, prompt=dataclasses.replace(one.prompt, id=text)) for one in run.cells)
    judgement = dataclasses.replace(run.judgement, verdicts=verdicts, reason=text)
    return dataclasses.replace(run, judgement=judgement, cells=cells, suite=text, run=text, title=text)


def test_no_markup_mention_or_link_comes_of_a_text(run: FinishedRun) -> None:
    given = hostile(run, HOSTILE)
    text = markdown(given, focus_of(answered(given)))
    page = html(text)
    plain = html(markdown(run, focus_of(answered(run))))
    tags = re.compile(r"</?(\w+)")
    assert tags.findall(page) == tags.findall(plain)
    assert "<!--" not in text
    assert not re.search(r"@\w|#\d|\w://\w", unescape(text))
    assert "&lt;img src=x onerror=1&gt;" in page


@pytest.mark.parametrize("text", ["&" * 1000, "|" * 1000, "😀" * 1000, "@" * 1000])
def test_comment_is_short_enough_whatever_it_says(run: FinishedRun, text: str) -> None:
    given = hostile(run, text, copies=60)
    said = markdown(given, focus_of(answered(given)))
    assert len(said.encode()) <= MOST_BYTES
    assert "more lines are in the report" in said
    assert "<h3>" in html(said)


def test_whole_tables_are_shown_where_they_fit(run: FinishedRun) -> None:
    assert "more lines" not in markdown(run, focus_of(answered(run)))


def test_run_without_subject_has_a_comment_too(run: FinishedRun) -> None:
    base = tuple(cell for cell in run.cells if cell.subject == BASELINE)
    selection = dataclasses.replace(run.judgement.selection, leader=None, candidates=())
    judgement = dataclasses.replace(run.judgement, verdicts=(), selection=selection)
    given = dataclasses.replace(run, cells=base, judgement=judgement)
    answer = answered(given)
    assert (answer.subject, answer.differences, answer.worst) == (None, (), ())
    assert "Promote" in markdown(given, focus_of(answer))


def test_text_is_one_line_without_control_characters() -> None:
    assert for_markdown("a\r\nb\x1b\u202ec\ud800") == "a  b  c "
    assert for_markdown("x" * 400) == "x" * 299 + "…"

"""The report's rows and its page, without a browser; what a reader does with it is in tests/browser."""

import base64
import dataclasses
import hashlib
import html
import io
import json
import math
import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jinja2
import pytest
from PIL import Image
from sample_run import LEADER, METRICS, sample_input

from evalharness.cli import main
from evalharness.errors import InputError
from evalharness.paths import shipped
from evalharness.report import card, numbers
from evalharness.report.carried import write_folder, write_single
from evalharness.report.cell_rows import address, axes_of
from evalharness.report.columns import DIGITS, HALF, SLOT, Sentences, outline, signed_digits
from evalharness.report.composite import Choice, write_composite
from evalharness.report.html import RUNS_SCRIPTS, SCRIPTS, STYLES, embedded_json, environment, render, write_report
from evalharness.report.markdown import markdown
from evalharness.report.reason_groups import ReasonGroup, cells_of_reason, group_rows, heart_of, without_numbers
from evalharness.report.rows import page
from evalharness.report.thumbnails import write_thumbnails
from evalharness.report.verdict_rows import rule_in_words
from evalharness.types import BASELINE, Check, Decision, Estimate, Failure, FinishedRun, Gap, Outcome, Rule

TEXTS = json.loads((shipped("reports") / "texts" / "en.json").read_text("utf-8"))
HOSTILE = "</script><script>window.hacked = 1</script>\"'><img src=x onerror=alert(1)> \u202e\u2028 <!-- {{ 7 * 7 }}"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("run"))


def estimate(mean: float | None, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(mean=mean, low=low, high=high, level=0.95, scored=16, unscored=0, prompts=8)


def hostile(given: FinishedRun) -> FinishedRun:
    """The sample with hostile words wherever a user's words can come in."""
    first = given.cells[0]
    cell = dataclasses.replace(
        first,
        source=HOSTILE,
        prompt=dataclasses.replace(
            first.prompt, id=HOSTILE, text=HOSTILE * 80, negative=HOSTILE, axes={HOSTILE: HOSTILE}
        ),
    )
    return dataclasses.replace(
        given,
        title=HOSTILE,
        run=HOSTILE,
        suite=HOSTILE,
        description=HOSTILE,
        record={HOSTILE: HOSTILE, "metadata": {HOSTILE: HOSTILE}},
        cells=(cell, *given.cells[1:]),
        images={**given.images, given.cells[1].key: Failure(reason=HOSTILE), cell.key: f"images/{HOSTILE}.png"},
        judgement=dataclasses.replace(given.judgement, reason=HOSTILE),
    )


class Elements(HTMLParser):
    """Collects what a browser would build: each element with its attributes, and the scripts' texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
        self.in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False

    def handle_data(self, data: str) -> None:
        if self.in_script:
            self.scripts[-1] += data


@pytest.mark.parametrize(
    ("given_estimate", "unit", "signed", "text"),
    [
        (estimate(0.83, 0.71, 0.92), "", False, "83 % [71, 92]"),
        (estimate(0.83, 0.71, 0.92), "points", False, "0.83 [0.71, 0.92] points"),
        (estimate(12.345, 9.5, 110.2), "deltaE00", False, "12.3 [9.50, 110] ΔE00"),
        (estimate(-0.05, -0.1, 0.001), "", True, "−5 pp [−10, 0]"),
        (estimate(0.12, 0.03, 0.21), "", True, "+12 pp [+3, +21]"),
        (estimate(0.5), "", False, "50 %"),
        (estimate(None), "", False, "–"),
    ],
)
def test_estimates_are_written_as_people_read_them(
    given_estimate: Estimate, unit: str, signed: bool, text: str
) -> None:
    assert numbers.interval(given_estimate, unit, signed=signed) == text


@pytest.mark.parametrize(("value", "text"), [(1.0, "> 99 %"), (0.0, "< 1 %"), (0.714, "71 %")])
def test_a_probability_never_claims_certainty(value: float, text: str) -> None:
    assert numbers.probability(value) == text


def test_a_rule_is_said_in_words() -> None:
    rule = Rule(metric="color_drift", at_most=2.0, relative_to="baseline", where={"view": "front"})
    words = rule_in_words(rule, METRICS["color_drift"], TEXTS)
    assert words == "change of mean of color_drift against the baseline at most +2.00 ΔE00, where view = front"
    share = Rule(metric="color_drift", aggregate="share_passing", passing=6.0, at_least=0.8)
    assert rule_in_words(share, METRICS["color_drift"], TEXTS) == (
        "share of images with color_drift ≤ 6.00 ΔE00 at least 80 %"
    )


def test_the_table_starts_with_the_baseline_and_keeps_the_order_of_subjects(given: FinishedRun) -> None:
    shuffled = dataclasses.replace(given, cells=given.cells[::-1], subjects=(*given.subjects[1:], given.subjects[0]))
    rows = page(shuffled, TEXTS).table
    assert rows[0].is_baseline
    assert [(row.subject, row.strength) for row in rows[1:4]] == [
        ("sakichan-000002", 0.7),
        ("sakichan-000002", 1.0),
        (LEADER, 0.7),
    ]


def test_a_falling_drift_is_better_than_the_baseline(given: FinishedRun) -> None:
    row = next(row for row in page(given, TEXTS).table if row.subject == LEADER)
    drift = row.cells[list(METRICS).index("color_drift")]
    assert drift.delta.startswith("−")
    assert drift.tone == "better"


def test_the_table_counts_failed_and_missing_images(given: FinishedRun) -> None:
    flipped = [cell for cell in given.cells if cell.subject == "flipped" and cell.strength == 1.0]
    images = {key: image for key, image in given.images.items() if key != flipped[0].key}
    rows = page(dataclasses.replace(given, images=images), TEXTS).table
    assert rows[-1].images == "14, 1 failed, 1 not made"


def test_the_best_sentence_names_the_tied_set(given: FinishedRun) -> None:
    sentence = page(given, TEXTS).selection.sentence
    assert sentence == "P(best) of epoch 6: 71 %. The evidence cannot separate it from epoch 8."


def with_candidates(given: FinishedRun, **changed: object) -> FinishedRun:
    """The sample whose first candidate is at strength 0.7, with these fields."""
    selection = given.judgement.selection
    first = dataclasses.replace(selection.candidates[0], strength=0.7, **changed)  # type: ignore[arg-type]
    selection = dataclasses.replace(selection, candidates=(first, *selection.candidates[1:]))
    return dataclasses.replace(given, judgement=dataclasses.replace(given.judgement, selection=selection))


def test_candidates_at_several_strengths_are_named_with_theirs(given: FinishedRun) -> None:
    rows = page(with_candidates(given, probability_here=0.93), TEXTS).selection.candidates
    assert [row.subject for row in rows[:2]] == [f"{LEADER} @ 0.7", "sakichan-000008 @ 1"]
    assert [row.here for row in rows[:2]] == ["on these very prompts 93 %", ""]


def test_broken_constraint_stands_beside_its_candidate(given: FinishedRun) -> None:
    rule = Rule(metric="artifacts", at_least=1.0)
    check = Check(rule=rule, outcome=Outcome.FAIL, estimate=estimate(0.9), reason="rope <in> 2 of 24 images")
    found = with_candidates(given, constraints=(check,))
    (row,) = page(found, TEXTS).selection.candidates[0].constraints
    assert (row.stamp.symbol, row.reason) == ("✖", "rope <in> 2 of 24 images")
    assert "rope &lt;in&gt; 2 of 24 images" in render(found)


def test_page_says_what_a_mistake_would_cost_and_what_would_settle_it(given: FinishedRun) -> None:
    selection = dataclasses.replace(
        given.judgement.selection, expected_loss=0.0123, advice="about 24 more images (new seeds) would settle it"
    )
    shown = render(dataclasses.replace(given, judgement=dataclasses.replace(given.judgement, selection=selection)))
    assert "about 24 more images (new seeds) would settle it. Another is better than the leader by 0.012" in shown


def test_second_page_of_a_process_compiles_no_template(given: FinishedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(given)

    def compiled(*given: object, **named: object) -> None:
        raise AssertionError("a template is compiled again")

    monkeypatch.setattr(jinja2.Environment, "compile", compiled)
    assert render(given) == first


def test_a_page_after_a_comment_and_a_card_is_the_same_page(given: FinishedRun) -> None:
    before = render(given)
    # in a process that has written no page yet
    environment.cache_clear()
    verdict = given.judgement.verdicts[0]
    subject = next(one for one in given.subjects if one.name == verdict.subject)
    assert markdown(given, None)
    assert card.markdown(card.card_of(given, subject, verdict, None, "2026-11-21"))
    assert render(given) == before


def test_missing_scores_that_differ_have_a_place_on_the_page(given: FinishedRun) -> None:
    gap = Gap(subject=LEADER, metric="harmony", unscored=9, images=16, others=0.1, reason="harmony could not be judged")
    judgement = dataclasses.replace(given.judgement, gaps=(gap,))
    assert '<h2 id="gaps">' not in render(given)
    shown = render(dataclasses.replace(given, judgement=judgement))
    assert '<h2 id="gaps">' in shown and "harmony could not be judged" in shown


@pytest.mark.parametrize("decision", list(Decision))
def test_every_decision_has_its_own_symbol_and_word(given: FinishedRun, decision: Decision) -> None:
    judgement = dataclasses.replace(given.judgement, decision=decision)
    stamp = page(dataclasses.replace(given, judgement=judgement), TEXTS).stamp
    expected = {"PROMOTE": ("✔", "Promote"), "REJECT": ("✖", "Reject"), "INCONCLUSIVE": ("?", "Not enough evidence")}
    assert (stamp.symbol, stamp.word) == expected[decision.value]


def test_axes_are_those_on_which_cells_differ(given: FinishedRun) -> None:
    axes = {axis.name: axis.values for axis in axes_of(given.cells, given.subjects)}
    assert set(axes) == {"subject", "epoch", "strength", "prompt", "seed", "archetype", "emotion"}
    assert axes["epoch"] == (BASELINE, "flipped", "2", "6", "8")
    assert axes["subject"][0] == BASELINE
    assert axes["strength"] == ("0", "0.7", "1")


def test_the_data_holds_every_cell_with_its_scores_and_reasons(given: FinishedRun) -> None:
    data = json.loads(json.dumps(page(given, TEXTS).data))
    columns, names = data["columns"], [metric["name"] for metric in data["metrics"]]
    reasons = [column.split(" ") for column in columns["reasons"]]
    assert len(columns["seeds"]) == len(given.cells)
    for number, cell in enumerate(given.cells):
        asked = {score.metric: score for score in given.scores.get(cell.key, ())}
        for metric, name in enumerate(names):
            score, filled = asked.get(name), reasons[metric][number]
            assert (filled == "") == (score is None)
            if score is not None:
                value = None if score.value is None else round(score.value, 4)
                assert (columns["values"][metric][number], filled_in(filled, data["sentences"])) == (
                    value,
                    score.reason,
                )
        assert isinstance(columns["images"][number], list) == isinstance(given.images[cell.key], Failure)


def filled_in(filled: str, sentences: list[str]) -> str:
    """What the page's script makes of a reason."""
    number, *slots = numbers_of(filled)
    pieces = sentences[number].split(SLOT)
    return "".join(piece + text for piece, text in zip(pieces, [*map(as_written, slots), ""], strict=True))


def as_written(slot: int) -> str:
    """What the page's script makes of one number."""
    whole, decimals = divmod(slot, 4)
    return f"{whole / 10**decimals:.{decimals}f}"


@pytest.mark.parametrize(
    "reason",
    [
        "hair 0.80 ΔE00, 5.0, 5 and 0.5 from #6f452f, 12 of 007 images, 1e-7",
        "x2 2x 1.2.3 -4.50 `99`",
        "12345678901234567890 and 3.14159265358979, 3.141 and 0.007, 00.5",
        "",
        "0",
    ],
)
def test_no_digit_of_a_reason_is_lost(reason: str) -> None:
    sentences = Sentences()
    found = json.loads(json.dumps(sentences.filled(reason)))
    assert filled_in(found, sentences.texts()) == reason.replace(SLOT, "'")


def test_reasons_that_differ_in_numbers_share_a_sentence() -> None:
    sentences = Sentences()
    filled = [sentences.filled(f"hair is {number / 10:.1f} from the reference") for number in range(100)]
    assert len(sentences.texts()) == 1
    assert max(map(len, filled)) <= 3


def numbers_of(text: str) -> list[int]:
    """What the page's script reads in packed digits."""
    found, value, weight = [], 0, 1
    for digit in text:
        part = DIGITS.index(digit)
        value, weight = value + part % HALF * weight, weight * HALF
        if part < HALF:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value, weight = 0, 1
    return found


def test_packed_numbers_are_read_as_they_were() -> None:
    numbers_given = [0, 1, -1, 21, -21, 22, 43, -44, 1849, -99_999]
    packed = signed_digits(numbers_given)
    assert numbers_of(packed) == numbers_given
    assert not set(packed) & set("\"\\<>&'#` ")


def test_an_outline_keeps_its_shape_without_the_points_on_its_lines() -> None:
    assert outline([(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 5), (0, 5)]) == [(0, 0), (3, 0), (3, 5), (0, 5)]
    assert outline([(0, 0), (5, 0), (9, 0), (2, 0)]) == [(0, 0), (9, 0), (2, 0)]
    circle = [(round(100 * math.cos(t / 50)), round(100 * math.sin(t / 50))) for t in range(315)]
    kept = outline(circle)
    assert len(kept) < 100
    for point in circle:
        assert min(distance(point, a, b) for a, b in pairwise(kept)) <= 0.5


def distance(point: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> float:
    """From a point to the piece between two others."""
    along, off = (complex(*end) - complex(*start)), (complex(*point) - complex(*start))
    share = min(max((off * along.conjugate()).real / abs(along) ** 2, 0.0), 1.0)
    return abs(off - share * along)


def test_a_thumbnail_is_made_once_and_again_for_a_changed_image(given: FinishedRun, tmp_path: Path) -> None:
    cell = given.cells[0]
    source = tmp_path / "image.png"
    Image.new("RGB", (600, 300), "red").save(source)
    images = {cell.key: "image.png"}
    assert write_thumbnails(tmp_path, (cell,), images) == {cell.key}
    target = tmp_path / "thumbnails" / f"{cell.key}.webp"
    made = target.stat().st_mtime_ns
    with Image.open(target) as small:
        assert (small.format, small.size) == ("WEBP", (256, 128))
    write_thumbnails(tmp_path, (cell,), images)
    assert target.stat().st_mtime_ns == made
    Image.new("RGB", (60, 60), "blue").save(source)
    os.utime(source, ns=(made + 10, made + 10))
    write_thumbnails(tmp_path, (cell,), images)
    with Image.open(target) as small:
        assert small.size == (60, 60)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_an_image_that_cannot_be_read_has_no_thumbnail(given: FinishedRun, tmp_path: Path) -> None:
    broken, lost = given.cells[:2]
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but not really")
    assert write_thumbnails(tmp_path, (broken, lost), {broken.key: "broken.png", lost.key: "lost.png"}) == frozenset()
    assert not (tmp_path / "thumbnails").exists()
    one = dataclasses.replace(given, cells=(broken,), images={broken.key: "broken.png"})
    data = json.loads(Elements(write_report(tmp_path, one).read_text("utf-8")).scripts[0])
    assert data["thumbnails"] == [0]


def test_a_folder_to_take_away_holds_the_page_and_its_pictures_alone(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = tmp_path_factory.mktemp("other")
    given = sample_input(folder)
    (folder / "run.sqlite").touch()
    (folder / "clips").mkdir()
    for name in ("shown.webp", "another.webp"):
        (folder / "clips" / name).touch()
    page = write_folder(
        folder, dataclasses.replace(given, clips={given.cells[0].key: "clips/shown.webp"}), tmp_path / "site"
    )
    assert {path.name for path in page.parent.iterdir()} == {"report.html", "images", "thumbnails", "clips"}
    assert [path.name for path in (page.parent / "clips").iterdir()] == ["shown.webp"]
    made = [path for path in given.images.values() if isinstance(path, str)]
    assert all((page.parent / path).is_file() for path in made)
    assert len(list((page.parent / "thumbnails").iterdir())) == len(made)


def test_a_single_file_holds_every_image(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("single")
    given = sample_input(folder)
    data = json.loads(Elements(write_single(folder, given).read_text("utf-8")).scripts[0])
    for cell, inside in zip(given.cells, data["embedded"], strict=True):
        assert (inside is None) == isinstance(given.images[cell.key], Failure)
    head, _, body = data["embedded"][0].partition(",")
    with Image.open(io.BytesIO(base64.b64decode(body))) as image:
        assert (head, image.size) == ("data:image/webp;base64", (128, 128))
    assert set(data["thumbnails"]) == {0}


def test_the_composite_shows_the_chosen_axes(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    folder = tmp_path_factory.mktemp("composite")
    given = sample_input(folder, lambda cell: Image.new("RGB", (64, 64), "red" if cell.subject == BASELINE else "blue"))
    target = tmp_path / "grid.png"
    write_composite(folder, given, Choice(rows="emotion", columns="epoch", where={"seed": "1"}), target)
    with Image.open(target) as sheet:
        assert sheet.size == (150 + 5 * 198, 36 + 4 * 198)
        assert sheet.getpixel((150 + 90, 36 + 90)) == (255, 0, 0)
        assert sheet.getpixel((150 + 198 + 90, 36 + 90)) == (0, 0, 255)
    with pytest.raises(InputError, match=r"unknown axis 'emotoin'\. Did you mean 'emotion'"):
        write_composite(folder, given, Choice(rows="emotoin"), target)
    with pytest.raises(InputError, match="axis 'seed' has an unknown value '7'"):
        write_composite(folder, given, Choice(where={"seed": "7"}), target)


def test_the_composite_shows_one_reasons_failing_images_alone(given: FinishedRun, tmp_path: Path) -> None:
    words = "the tail is at the image's left; right was asked."
    wrong = ReasonGroup(metric="hair_side", words="the tail is at the image's left")
    target = write_composite(tmp_path, given, Choice(rows="seed", columns="subject", reason=wrong), tmp_path / "g.png")
    found = cells_of_reason(given.cells, given, wrong)
    told = {s.reason for cell in found for s in given.scores[cell.key] if s.metric == "hair_side"}
    assert told == {words} and BASELINE not in {cell.subject for cell in found}
    across, down = len({cell.subject for cell in found}), len({cell.seed for cell in found})
    with Image.open(target) as sheet:
        assert sheet.size == (150 + across * 198, 36 + down * 198)
    with pytest.raises(InputError, match=r"unknown metric 'hair_sides'\. Did you mean 'hair_side'"):
        cells_of_reason(given.cells, given, ReasonGroup(metric="hair_sides", words=""))
    with pytest.raises(InputError, match=r"reason of hair_side 'the tail is up'\. Did you mean 'the tail is at"):
        cells_of_reason(given.cells, given, ReasonGroup(metric="hair_side", words="the tail is up"))


def test_reasons_are_one_where_only_their_numbers_or_asides_differ() -> None:
    first = "hair 9 degrees towards orange (deltaE00 12.1; spread 3); hue +4; asked: right; 12% lie further out"
    assert heart_of(first) == "hair 9 degrees towards orange; asked: right"
    assert without_numbers(heart_of(first)) == without_numbers("hair 9–22 degrees towards orange; asked: right")
    assert heart_of("reads as sad (0.4); C, emotional drift: sad instead of happy") == (
        "C, emotional drift: sad instead of happy"
    )


def test_groups_of_the_page_are_those_of_the_composite_with_each_images_numbers(given: FinishedRun) -> None:
    groups = group_rows(given)
    assert groups
    names, seen = list(given.metrics), set()
    for group in groups:
        metric, words = names[int(str(group["metric"]))], str(group["words"])
        members = [text.split(" ") for text in str(group["members"]).split(";")]
        cells = [given.cells[int(number)] for number, *_ in members]
        asked = ReasonGroup(metric=metric, words=words.replace("`", "#"))
        ours = [cell for cell in cells if cell.subject != BASELINE] or cells
        assert list(cells_of_reason(cells, given, asked)) == ours
        for cell, (_, *found) in zip(cells, members, strict=True):
            (score,) = [one for one in given.scores[cell.key] if one.metric == metric]
            assert words.replace("`", "{}").format(*found) == heart_of(score.reason)
            seen.add((cell.key, metric))
    failing = {(cell.key, name) for name in names for cell in given.cells if _is_bad(given, cell.key, name)}
    assert seen == failing


def _is_bad(given: FinishedRun, key: str, name: str) -> bool:
    """By the limits of the sample's rules: half of a share, 6 of a drift."""
    values = [one.value for one in given.scores.get(key, ()) if one.metric == name and one.value is not None]
    return any(value > 6 if name == "color_drift" else value < 0.5 for value in values)


def test_a_reason_without_a_picture_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path), "--reason", "hair_side=hangs left"]) == 2
    assert "--reason was given without --composite" in capsys.readouterr().err


def test_a_hostile_text_becomes_neither_element_nor_script(given: FinishedRun) -> None:
    clean, dirty = Elements(render(given)), Elements(render(hostile(given)))
    assert len(dirty.scripts) == len(clean.scripts) == 2
    assert not [tag for tag, attributes in dirty.found if tag == "img" or any(a.startswith("on") for a in attributes)]
    data = json.loads(dirty.scripts[0])
    assert data["prompts"][0]["text"] == HOSTILE * 80
    assert data["prompts"][0]["negative"] == HOSTILE


def test_the_security_policy_allows_exactly_our_script(given: FinishedRun) -> None:
    text = render(given)
    script = Elements(text).scripts[1]
    expected = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{expected}'" in html.unescape(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("images/ab/abcd.png", "./images/ab/abcd.png"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("//host/x.png", ".///host/x.png"),
        ('a"b #?%.png', "./a%22b%20%23%3F%25.png"),
        ("bild_\udcff.png", "./bild_%FF.png"),
    ],
)
def test_a_file_name_can_only_become_a_relative_address(path: str, expected: str) -> None:
    assert address(path) == expected


def test_numbers_that_are_not_json_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        embedded_json({"value": float("nan")})


def test_the_old_page_stays_when_the_new_one_cannot_be_written(given: FinishedRun, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    (tmp_path / "report.html" / "old").touch()
    with pytest.raises(OSError, match=r"report\.html"):
        write_report(tmp_path, given)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_name_that_is_no_unicode_is_shown_with_a_question_mark(given: FinishedRun, tmp_path: Path) -> None:
    written = write_report(tmp_path, dataclasses.replace(given, title="bild_\udcff"))
    assert "<title>bild_? · evalharness report</title>" in written.read_text("utf-8")


def test_a_run_without_cells_still_has_a_page(given: FinishedRun) -> None:
    judgement = dataclasses.replace(
        given.judgement,
        summaries=(),
        deltas=(),
        verdicts=(),
        selection=dataclasses.replace(given.judgement.selection, leader=None, candidates=()),
        decision=Decision.INCONCLUSIVE,
    )
    empty = dataclasses.replace(given, subjects=(), cells=(), images={}, scores={}, metrics={}, judgement=judgement)
    assert TEXTS["best_none"] in render(empty)


def test_a_check_of_an_unknown_metric_is_shown_as_plain_numbers() -> None:
    assert rule_in_words(Rule(metric="gone", at_least=0.5), None, TEXTS) == "mean of gone at least 50 %"


def test_scripts_and_template_use_only_texts_that_exist() -> None:
    folder = shipped("reports")
    named = dict.fromkeys([*SCRIPTS, *RUNS_SCRIPTS])
    scripts = "\n".join((folder / "scripts" / name).read_text("utf-8") for name in named)
    template = "\n".join(path.read_text("utf-8") for path in folder.rglob("*.html.j2"))
    used = set(re.findall(r'say\("(\w+)"', scripts)) | set(re.findall(r"\bt\.(\w+)", template))
    assert used <= set(TEXTS)
    for kind, names in (("scripts", named), ("styles", STYLES)):
        own = [name for name in names if not name.startswith("../vendor/")]
        assert sorted(path.name for path in (folder / kind).iterdir()) == sorted(own)


def test_no_two_scripts_define_the_same_name() -> None:
    folder = shipped("reports") / "scripts"
    defined = [
        (name, script)
        for script in SCRIPTS
        if "vendor" not in script
        for name in re.findall(
            r"^(?:async )?(?:function|const|let|class) (\w+)", (folder / script).read_text("utf-8"), re.M
        )
    ]
    twice = [one for one in defined if sum(name == one[0] for name, _ in defined) > 1]
    assert twice == []


def test_metric_scales_end_at_the_largest_value_seen(given: FinishedRun) -> None:
    metrics = {metric["name"]: metric for metric in page(given, TEXTS).data["metrics"]}  # type: ignore[attr-defined]
    largest = max(s.value for found in given.scores.values() for s in found if s.metric == "color_drift" and s.value)
    assert metrics["harmony"]["high"] == 1.0
    assert metrics["color_drift"]["high"] == largest

"""The page's languages: one file of texts each, equal in keys and placeholders; how one is chosen."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from sample_run import sample_input

from evalharness.config import compose, config_from_json
from evalharness.errors import ConfigError
from evalharness.labels import WORDS
from evalharness.languages import languages, texts
from evalharness.paths import shipped
from evalharness.perception.findings import NAMES
from evalharness.registry import SCORERS
from evalharness.report.html import render
from evalharness.scorers.failures import FAILURES
from evalharness.types import EMOTIONS

PLACEHOLDER = re.compile(r"\{(\w*)\}")
OTHERS = [language for language in languages() if language != "en"]


def test_japanese_is_among_the_languages() -> None:
    assert languages() == ("en", "ja")


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_says_everything_and_nothing_more(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert sorted(set(english) - set(other)) == [], f"missing in reports/texts/{language}.json"
    assert sorted(set(other) - set(english)) == [], f"only in reports/texts/{language}.json"


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_names_the_same_values(language: str) -> None:
    english, other = texts("en"), texts(language)
    differing = [
        key
        for key in english.keys() & other.keys()
        if sorted(PLACEHOLDER.findall(english[key])) != sorted(PLACEHOLDER.findall(other[key]))
    ]
    assert differing == []


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty_or_said_twice_in_one_file(language: str) -> None:
    pairs = json.loads(
        (shipped("reports") / "texts" / f"{language}.json").read_text("utf-8"), object_pairs_hook=lambda found: found
    )
    keys = [key for key, _ in pairs]
    assert sorted({key for key in keys if keys.count(key) > 1}) == []
    assert [key for key, text in pairs if not text.strip()] == []


def test_words_that_calibrate_reads_have_a_text_and_are_those_of_the_page() -> None:
    script = (shipped("reports") / "scripts" / "judgement.js").read_text("utf-8")
    for column in ("emotion_seen", "mouth", "eyes", "multiple"):
        found = re.search(rf"^  {column}: (\[.*\]),$", script, re.MULTILINE)
        assert found, column
        assert tuple(json.loads(found[1])) == WORDS[column]
        assert {f"{column}_{word}" for word in WORDS[column]} <= set(texts())


def test_page_is_written_in_the_language_of_the_run(tmp_path: Path) -> None:
    page = render(dataclasses.replace(sample_input(tmp_path), language="ja"))
    assert '<html lang="ja">' in page
    assert "<title>sakichan, epochs 2 to 8 · evalharness レポート</title>" in page
    assert "最良はどれか" in page and "Which one is best" not in page


def test_configuration_chooses_the_language_and_keeps_it() -> None:
    assert compose([]).report.language == "en"
    config = compose(["report.language=ja"])
    assert config.report.language == "ja"
    stored = {
        "suite": {},
        "backend": {"name": "fake"},
        "perception": {"name": "fake"},
        "subjects": [],
        "folder_path": "x",
    }
    assert config_from_json(stored).report.language == "en", "runs from before there were languages"


@pytest.mark.parametrize("given", ["ja-JP", "Japanese", "jp"])
def test_unknown_language_is_answered_with_the_nearest(given: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown language '{given}'. Did you mean 'ja'\\? Known: en, ja."):
        compose([f"report.language={given}"])


def test_every_name_that_we_give_has_a_text() -> None:
    words = texts("en")
    assert {f"metric_name_{name}" for name in SCORERS} <= set(words)
    assert {words[f"failure_name_{letter}"] for letter in FAILURES} == set(FAILURES.values())
    assert {f"mark_{name}" for name in NAMES} <= set(words)
    assert {f"read_{emotion}" for emotion in EMOTIONS} <= set(words)


def test_english_calls_metrics_what_suites_call_them() -> None:
    assert [name for name in SCORERS if texts("en")[f"metric_name_{name}"] != name] == []


def test_japanese_page_names_metrics_failures_and_checks_in_japanese(tmp_path: Path) -> None:
    page = render(dataclasses.replace(sample_input(tmp_path), language="ja"))
    head = page[: page.index('id="data"')]
    for name in ("harmony", "hair_side", "color_drift"):
        assert f">{name}<" not in head and texts("ja")[f"metric_name_{name}"] in head
    assert "髪色のずれ の平均 上限 6.00 ΔE00, 条件 表情 = neutral" in head
    assert "表情の調和 (harmony v1)" in head, "what a suite calls it stands among the facts"


def test_japanese_page_names_the_kinds_of_failure_in_japanese(tmp_path: Path) -> None:
    given = sample_input(tmp_path)
    scores = {
        key: tuple(dataclasses.replace(one, label="A") if one.metric == "harmony" else one for one in found)
        for key, found in given.scores.items()
    }
    page = render(dataclasses.replace(given, scores=scores, language="ja"))
    assert "<h3><b>A</b> 部分の孤立</h3>" in page and "feature isolation" not in page
    assert "表情の調和 を判定できた画像を数えました" in page


def test_a_metric_without_a_text_keeps_its_name(tmp_path: Path) -> None:
    given = sample_input(tmp_path)
    own = dataclasses.replace(next(iter(given.metrics.values())), name="colour_of_shoes")
    page = render(dataclasses.replace(given, language="ja", metrics={**given.metrics, own.name: own}))
    assert "colour_<wbr>of_<wbr>shoes" in page

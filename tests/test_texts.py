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
from evalharness.report.html import render

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

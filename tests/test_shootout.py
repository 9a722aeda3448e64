"""`evalharness report RUN_A RUN_B`: winners only where equal draws separate them, and what was promoted."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sample_run import LEADER, sample_input

from evalharness import shootout
from evalharness.cli import main
from evalharness.errors import InputError
from evalharness.promote import promote
from evalharness.report.card import Override
from evalharness.report.runs import Contest, write_runs
from evalharness.shootout import contest
from evalharness.sides import Side
from evalharness.types import BASELINE, FinishedRun, LoraFile

HOSTILE = "<script>window.hacked = 1</script>\"'&"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def runs(given: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Side]:
    """Three runs in folders of their own, read as sides; a test may change them before the contest."""
    sides = {}
    for name, subject in (("first", LEADER), ("second", "flipped"), ("third", BASELINE)):
        folder = tmp_path / name
        sample_input(folder)
        strength = 0.0 if subject == BASELINE else 1.0
        sides[str(folder)] = Side(run=dataclasses.replace(given, run=name), subject=subject, strength=strength)
    monkeypatch.setattr(shootout, "read_side", lambda text: sides[text])
    return sides


def words(found: Contest, metric: str) -> list[str]:
    return [one.word for one in found.standings[metric]]


def test_a_run_wins_where_the_evidence_separates_it_from_all_others(runs: dict[str, Side], tmp_path: Path) -> None:
    found = contest(list(runs), tmp_path / "promoted")
    assert words(found, "harmony") == ["wins", "behind", "behind"]
    # everybody has one face everywhere: nothing to win
    assert words(found, "faces") == ["open", "open", "open"]
    assert [one.met for one in found.standings["harmony"]] == [2, 2, 2]


def test_a_run_that_is_not_separated_from_one_other_wins_nothing(runs: dict[str, Side], tmp_path: Path) -> None:
    first, second, third = runs
    runs[third] = dataclasses.replace(runs[second], subject="sakichan-000008")
    found = contest([first, second, third], tmp_path / "promoted")
    assert words(found, "harmony") == ["open", "behind", "open"]


def test_the_order_of_runs_changes_no_standing(runs: dict[str, Side], tmp_path: Path) -> None:
    forward = contest(list(runs), tmp_path / "promoted")
    backward = contest(list(runs)[::-1], tmp_path / "promoted")
    for metric in forward.standings:
        assert words(forward, metric) == words(backward, metric)[::-1]


def test_more_runs_need_more_evidence(runs: dict[str, Side], given: FinishedRun) -> None:
    from evalharness.compare import compare

    first, second = list(runs.values())[:2]
    alone, among = compare(first, second), compare(first, second, among=10)
    assert 1 - among.level == pytest.approx((1 - alone.level) / 10)
    for one, other in zip(alone.differences, among.differences, strict=True):
        if one.paired.low is not None and other.paired.low is not None and one.paired.low != one.paired.high:
            assert other.paired.low < one.paired.low


def test_a_run_by_another_maker_is_not_compared_and_the_page_says_so(runs: dict[str, Side], tmp_path: Path) -> None:
    name = next(iter(runs))
    run = runs[name].run
    assert isinstance(run, FinishedRun)
    other = dataclasses.replace(run, record={**run.record, "maker": {"device": "cuda"}})
    runs[name] = dataclasses.replace(runs[name], run=other)
    found = contest(list(runs), tmp_path / "promoted")
    assert words(found, "harmony")[0] == "apart"
    assert found.standings["harmony"][1].met == 1
    assert set(found.refused) == {(0, 1), (0, 2)}
    page = write_runs(found, tmp_path / "runs.html").read_text("utf-8")
    assert "are not compared: the image makers differ in device." in page


def test_one_run_alone_is_refused(runs: dict[str, Side], tmp_path: Path) -> None:
    name = next(iter(runs))
    with pytest.raises(InputError, match="at least two runs"):
        contest([name, name], tmp_path)


class Links(HTMLParser):
    """Where the page leads and what it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value for name, value in attrs if name in ("href", "src") and value and value != "data:,"]


def test_the_page_shows_the_same_draws_and_leads_to_each_report(runs: dict[str, Side], tmp_path: Path) -> None:
    target = tmp_path / "out" / "runs.html"
    target.parent.mkdir()
    write_runs(contest(list(runs), tmp_path / "promoted"), target)
    assert "./../first/report.html" in Links(target.read_text("utf-8")).found
    pictures = shown(target, "thumbnails")
    assert len(pictures) == 16 * 3
    assert sum(link != 0 for link in pictures) == 16 * 3 - 1  # one of the flipped images failed
    assert all((target.parent / link).is_file() for link in pictures if link)


def shown(page: Path, what: str) -> list[Any]:
    """A list that the page's data holds."""
    found = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"))
    assert found
    return list(json.loads(found[1])[what])


def test_a_copied_page_needs_nothing_of_its_runs(runs: dict[str, Side], tmp_path: Path) -> None:
    assert main(["report", *runs, "--to", str(tmp_path / "away")]) == 0
    page = tmp_path / "away" / "runs.html"
    small = [link for link in shown(page, "thumbnails") if link]
    assert len(small) == 47 and all(link.startswith("./run-") and (page.parent / link).is_file() for link in small)
    assert len(list((tmp_path / "away").glob("run-*/images/*.png"))) == 47
    assert "report.html" not in page.read_text("utf-8")


def test_a_single_file_holds_every_runs_images(runs: dict[str, Side], tmp_path: Path) -> None:
    assert main(["report", *runs, "--single-file"]) == 0
    held = shown(tmp_path / "runs_single.html", "embedded")
    assert sum(str(one).startswith("data:image/webp;base64,") for one in held) == 47 and len(held) == 48


def test_runs_of_one_name_stay_apart(runs: dict[str, Side], tmp_path: Path) -> None:
    for name, side in runs.items():
        assert isinstance(side.run, FinishedRun)
        runs[name] = dataclasses.replace(runs[name], run=dataclasses.replace(side.run, run="same"), subject=LEADER)
        runs[name] = dataclasses.replace(runs[name], strength=1.0)
    page = write_runs(contest(list(runs), tmp_path / "promoted"), tmp_path / "runs.html")
    subjects = next(axis["values"] for axis in shown(page, "axes") if axis["name"] == "subject")
    assert subjects == [f"same: {LEADER}", f"same: {LEADER} (2)", f"same: {LEADER} (3)"]


def test_hostile_names_are_shown_as_text(runs: dict[str, Side], tmp_path: Path) -> None:
    for name, side in runs.items():
        assert isinstance(side.run, FinishedRun)
        runs[name] = dataclasses.replace(side, run=dataclasses.replace(side.run, run=HOSTILE, suite=HOSTILE))
    page = write_runs(contest(list(runs), tmp_path / "promoted"), tmp_path / "runs.html").read_text("utf-8")
    # the data and our own script
    assert Links(page).tags.count("script") == 2
    assert "&lt;script&gt;" in page


def with_files(run: FinishedRun, folder: Path) -> FinishedRun:
    from evalharness.digest import file_digest

    folder.mkdir()
    subjects = []
    for one in run.subjects:
        path = folder / f"{one.name}.safetensors"
        path.write_bytes(one.name.encode())
        lora = LoraFile(path=path, digest=file_digest(path))
        subjects.append(one if one.name == BASELINE else dataclasses.replace(one, loras=(lora,)))
    return dataclasses.replace(run, subjects=tuple(subjects))


def test_what_was_promoted_stands_in_order_with_its_figures(
    runs: dict[str, Side], given: FinishedRun, tmp_path: Path
) -> None:
    run = dataclasses.replace(with_files(given, tmp_path / "loras"), run="first")
    promoted = tmp_path / "promoted"
    promote(run, promoted)
    promote(run, promoted, subject="flipped", override=Override(by="somebody", reason="a test of the history"))
    found = contest(list(runs), promoted)
    assert [one.subject for one in found.history] == [LEADER, "flipped"]
    harmony = [one.means["harmony"].mean for one in found.history]
    assert harmony[0] is not None and harmony[1] is not None and harmony[0] > harmony[1]
    page = write_runs(found, tmp_path / "runs.html").read_text("utf-8")
    assert "promoted by a person against the verdict" in page
    next((promoted / found.history[0].run).parent.glob(f"{LEADER}*/measured-*.json")).unlink()
    again = contest(list(runs), promoted)
    assert again.history[0].means == {}
    assert "is missing" in again.history[0].note


def test_the_verb_names_the_page_and_what_does_not_fit(
    runs: dict[str, Side], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(tmp_path / "runs.html")}
    assert main(["report", *runs, "--composite", str(tmp_path / "grid.png")]) == 2
    assert re.search("takes one run", capsys.readouterr().err)

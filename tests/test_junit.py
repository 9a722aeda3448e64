"""JUnit XML: a subject is a suite, a check is a case; no text breaks it."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Failure, JUnitXml, Skipped
from sample_run import sample_input

from evalharness.report.junit import junit, write_junit
from evalharness.types import BASELINE, Decision, FinishedRun, Outcome

MOMENT = "2026-01-02T03:04:05+00:00"
HOSTILE = "\x1b[31m]]> \x00 \ud800 \ufffe <b a='1'>&amp; \"q\" \U0001f600 \x85"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("run"))


def suites(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text.encode()))


def check_structure(text: str) -> None:
    """The rules of Ant's JUnit schema (github.com/windyroad/JUnit-Schema), the strictest one in use.

    Jenkins' junit-10.xsd allows all that it allows, but for a message of `skipped`, which both allow.
    """
    root = ElementTree.fromstring(text.encode())
    assert (root.tag, root.attrib) == ("testsuites", {})
    for number, suite in enumerate(root):
        assert suite.tag == "testsuite"
        names = "name package id timestamp hostname tests failures errors skipped time"
        assert sorted(suite.attrib) == sorted(names.split())
        assert suite.get("id") == str(number)
        assert len(suite.get("timestamp", "")) == len("2026-01-02T03:04:05")
        cases = suite.findall("testcase")
        assert [part.tag for part in suite] == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        assert all(sorted(one.attrib) == ["name", "value"] for one in suite.findall("properties/*"))
        assert suite.get("tests") == str(len(cases))
        for tag, attribute in (("failure", "failures"), ("skipped", "skipped"), ("error", "errors")):
            assert suite.get(attribute) == str(len(suite.findall(f"testcase/{tag}")))
        check_cases(cases)


def check_cases(cases: Iterable[ElementTree.Element]) -> None:
    for case in cases:
        assert sorted(case.attrib) == ["classname", "name", "time"]
        assert case.get("name", "").strip()
        assert len(case) <= 1
        for part in case:
            assert sorted(part.attrib) == {"failure": ["message", "type"], "skipped": ["message"]}[part.tag]


def test_each_subject_is_a_suite_and_each_check_a_case(run: FinishedRun) -> None:
    text = junit(run, MOMENT)
    check_structure(text)
    for suite, verdict in zip(suites(text), run.judgement.verdicts, strict=True):
        assert suite.get("name") == verdict.subject
        assert suite.get("tests") == str(len(verdict.checks))
        outcomes = [check.outcome for check in verdict.checks]
        assert suite.get("failures") == str(outcomes.count(Outcome.FAIL))
        assert suite.get("skipped") == str(outcomes.count(Outcome.INCONCLUSIVE))
    assert BASELINE not in {suite.get("name") for suite in suites(text)}


def test_another_reader_counts_the_same_failures_and_skips(run: FinishedRun, tmp_path: Path) -> None:
    read = JUnitXml.fromfile(str(write_junit(tmp_path / "junit.xml", run)))
    outcomes = {
        suite.name: [type(part) for case in suite for part in case.result]  # a passed case has no part
        for suite in read
    }
    assert outcomes["flipped"] == [Failure]
    assert outcomes["sakichan-000002"] == [Skipped]
    assert outcomes["sakichan-000006"] == []


def test_failure_says_reason_measurement_and_purpose(run: FinishedRun) -> None:
    failure = next(part for suite in suites(junit(run, MOMENT)) for part in suite.iter("failure"))
    assert "the tail is on the asked side" in failure.get("message", "")
    assert "measured: " in (failure.text or "")
    assert "a tail has one side" in (failure.text or "")


def test_what_xml_forbids_is_written_as_people_read_it(run: FinishedRun, tmp_path: Path) -> None:
    verdicts = tuple(
        dataclasses.replace(
            one,
            subject=HOSTILE,
            reason=HOSTILE,
            checks=tuple(dataclasses.replace(check, reason=HOSTILE) for check in one.checks),
        )
        for one in run.judgement.verdicts
    )
    judgement = dataclasses.replace(run.judgement, verdicts=verdicts)
    given = dataclasses.replace(run, judgement=judgement, suite=HOSTILE, run=HOSTILE)
    text = write_junit(tmp_path / "junit.xml", given).read_text("utf-8")
    check_structure(text)
    name = suites(text)[0].get("name")
    assert name == HOSTILE.replace("\x1b", r"\x1b").replace("\x00", r"\x00").replace("\ud800", r"\xd800").replace(
        "\ufffe", r"\xfffe"
    )


def test_suite_without_rules_and_run_without_subjects_do_not_look_passed(run: FinishedRun) -> None:
    verdict = dataclasses.replace(
        run.judgement.verdicts[0], checks=(), decision=Decision.INCONCLUSIVE, reason="nothing was asked"
    )
    for verdicts, words in (((verdict,), "nothing was asked"), ((), run.judgement.reason)):
        judgement = dataclasses.replace(run.judgement, verdicts=verdicts)
        text = junit(dataclasses.replace(run, judgement=judgement), MOMENT)
        check_structure(text)
        (suite,) = suites(text)
        assert (suite.get("tests"), suite.get("skipped")) == ("1", "1")
        assert words in suite.find("testcase/skipped").get("message")

"""A verdict as JUnit XML: a subject is a test suite, a check is a test case.

The file satisfies the schema of Ant's JUnit task (github.com/windyroad/JUnit-Schema) as well as that of Jenkins
(junit-10.xsd), which is why it has parts that say nothing: a host, empty outputs, times of 0.
A check without enough evidence is 'skipped': CI systems show that as neither passed nor failed, whereas a failure
would say 'worse' for 'not sure', and make red what the exit code lets pass.
"""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from evalharness.environment import now
from evalharness.languages import texts
from evalharness.replacing import write_whole
from evalharness.report.escape import for_xml
from evalharness.report.verdict_rows import CheckRow, VerdictRow, verdict_rows
from evalharness.types import FinishedRun

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write_junit(target: Path, given: FinishedRun) -> Path:
    """Write the file, whole or not at all, and return its path."""
    return write_whole(target, junit(given, now()))


def junit(given: FinishedRun, moment: str) -> str:
    """The XML; `moment` is an ISO 8601 time, of which a time zone is left out."""
    root = ElementTree.Element("testsuites")
    rows = verdict_rows(given.judgement, given.metrics, texts())
    for number, row in enumerate(rows):
        _suite(root, given, row, {"id": str(number), "timestamp": moment[:19]})
    if not rows:
        _without_subject(root, given, moment)
    ElementTree.indent(root)
    return HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, given: FinishedRun, row: VerdictRow, more: dict[str, str]) -> None:
    tones = [check.stamp.tone for check in row.checks] or ["inconclusive"]
    suite = _open(root, given, row.subject, {**_counts(tones), **more})
    _properties(suite, given, (("verdict", row.stamp.word), ("reason", row.reason)))
    for check in row.checks:
        _case(suite, given, row.subject, check)
    if not row.checks:
        # a suite without a case would look as if nothing were wrong
        _skipped(_named(suite, given, row.subject, "any rule"), row.reason)
    _close(suite)


def _without_subject(root: ElementTree.Element, given: FinishedRun, moment: str) -> None:
    name = given.suite
    suite = _open(root, given, name, {**_counts(["inconclusive"]), "id": "0", "timestamp": moment[:19]})
    _properties(suite, given, ())
    _skipped(_named(suite, given, name, "any subject"), given.judgement.reason)
    _close(suite)


def _open(root: ElementTree.Element, given: FinishedRun, name: str, more: dict[str, str]) -> ElementTree.Element:
    fixed = {"package": for_xml(given.suite), "hostname": "localhost", "time": "0", "errors": "0"}
    return ElementTree.SubElement(root, "testsuite", {"name": for_xml(name), **more, **fixed})


def _counts(tones: Sequence[str]) -> dict[str, str]:
    numbers = {"tests": len(tones), "failures": tones.count("fail"), "skipped": tones.count("inconclusive")}
    return {name: str(number) for name, number in numbers.items()}


def _properties(suite: ElementTree.Element, given: FinishedRun, more: Sequence[tuple[str, str]]) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("suite", given.suite), ("run", given.run), *more):
        ElementTree.SubElement(properties, "property", {"name": name, "value": for_xml(value)})


def _case(suite: ElementTree.Element, given: FinishedRun, subject: str, check: CheckRow) -> None:
    case = _named(suite, given, subject, check.rule)
    if check.stamp.tone == "fail":
        failure = ElementTree.SubElement(case, "failure", {"type": "rule", "message": for_xml(check.reason)})
        said = (check.reason, f"measured: {check.estimate}, {check.counts}", check.why)
        failure.text = for_xml("\n".join(part for part in said if part))
    elif check.stamp.tone == "inconclusive":
        _skipped(case, check.reason)


def _named(suite: ElementTree.Element, given: FinishedRun, subject: str, name: str) -> ElementTree.Element:
    place = for_xml(f"{given.suite}.{subject}")
    return ElementTree.SubElement(suite, "testcase", {"name": for_xml(name), "classname": place, "time": "0"})


def _skipped(case: ElementTree.Element, reason: str) -> None:
    ElementTree.SubElement(case, "skipped", {"message": for_xml(f"not enough evidence: {reason}")})


def _close(suite: ElementTree.Element) -> None:
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")

"""The command line takes its words in any order, and refuses those it does not know."""

import pytest

from evalharness.cli import parsed


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--dry-run", "suite=demo", "suite.seeds=[1]"],
        ["run", "suite=demo", "--dry-run", "suite.seeds=[1]"],
        ["run", "suite=demo", "suite.seeds=[1]", "--dry-run"],
    ],
)
def test_flags_may_stand_anywhere_among_overrides(words: list[str]) -> None:
    options = parsed(words)
    assert options.overrides == ["suite=demo", "suite.seeds=[1]"]
    assert options.dry_run


@pytest.mark.parametrize("words", [["run", "suite=demo", "--dryrun"], ["report", "runs/demo", "suite=demo"]])
def test_unknown_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(words)
    assert stopped.value.code == 2
    assert words[-1] in capsys.readouterr().err

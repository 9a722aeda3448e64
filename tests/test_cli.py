"""The command line takes its words in any order, and refuses those it does not know."""

from pathlib import Path

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


@pytest.mark.parametrize("words", [["run", "suite=demo", "--dryrun"], ["gate", "runs/demo", "suite=demo"]])
def test_unknown_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(words)
    assert stopped.value.code == 2
    assert words[-1] in capsys.readouterr().err


def test_promoted_ones_are_looked_for_in_the_folder_promoted_unless_said_otherwise() -> None:
    for verb in (["gate", "runs/demo", "--against", "promoted"], ["compare", "runs/demo", "promoted"]):
        assert parsed(verb).promoted_in == Path("promoted")
        assert parsed([*verb, "--promoted-in", "/loras"]).promoted_in == Path("/loras")


@pytest.mark.parametrize("verb", ["gate", "compare"])
def test_help_says_how_to_name_a_run_that_is_called_promoted(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed([verb, "--help"])
    assert "./promoted" in capsys.readouterr().out

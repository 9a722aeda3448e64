"""The action's scripts, run as a workflow runs them: a promoted baseline, three candidates, a pull request."""

import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ci_world
import huggingface_hub
import pytest
from ci_github import BOT, comment
from huggingface_hub.utils import filter_repo_objects

ACTION = Path(__file__).parent.parent / ".github" / "actions" / "gate"
OVERRIDES = "backend=noisy\n\n  perception=grain\n"
DEFAULTS = {
    "SUITE": "gated",
    "CANDIDATE": "loras/equal.safetensors",
    "BASE_MODEL": "",
    "PROMOTED_IN": "promoted",
    "OVERRIDES": OVERRIDES,
    "FOLDER": "runs/gate",
    "LINK_BASE": "",
    "PYTHON_VERSION": "3.11",
    "FAIL_ON_INCONCLUSIVE": "false",
    "PULL_REQUEST": "7",
    "COMMENT_KEY": "evalharness-report",
    "COMMENT_AUTHOR": BOT,
    "CONSTRAINTS": "",
    "ARTIFACT_NAME": "evalharness-report",
    "ARTIFACT_URL": "https://github.com/mai/loras/actions/runs/1/artifacts/2",
    "ARTIFACT": "promoted",
    "DEFAULT_BRANCH": "main",
    "GITHUB_REPOSITORY": "mai/loras",
    "GITHUB_REPOSITORY_ID": "11",
    "GH_TOKEN": "none",
}


class Repository:
    """A checkout of somebody's LoRAs on a runner, beside what GitHub knows of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.github = folder / "checkout", folder / "github"
        self.github.mkdir()
        self.printed = ""

    def step(self, script: str, **given: str) -> int:
        """Run one of the action's scripts; its exit code."""
        places = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "GITHUB_WORLD": str(self.github),
            "GITHUB_OUTPUT": str(self.github / "output"),
            "GITHUB_STEP_SUMMARY": str(self.github / "summary.md"),
            "RUNNER_TEMP": str(self.github),
        }
        (self.github / "output").write_text("")
        done = subprocess.run(
            [str(ACTION / script)],
            env={**os.environ, **DEFAULTS, **places, **given},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        self.printed = done.stdout + done.stderr
        return done.returncode

    def outputs(self) -> dict[str, str]:
        """What the last step handed on."""
        return dict(line.split("=", 1) for line in (self.github / "output").read_text().splitlines())

    def gate(self, **given: str) -> str:
        """Gate, comment, and the exit code that gate.sh handed on."""
        assert self.step("gate.sh", **given) == 0, self.printed
        code = self.outputs()["exit-code"]
        assert self.step("comment.sh", **given) == 0, self.printed
        return code

    def answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((self.folder / "runs" / "gate" / "gate.json").read_text())
        return answer

    def comments(self) -> list[dict[str, Any]]:
        return [one for page in json.loads((self.github / "comments.json").read_text()) for one in page]

    def writes(self) -> list[str]:
        """The methods of all calls that change something."""
        calls = [json.loads(line) for line in (self.github / "calls.jsonl").read_text().splitlines()]
        return [call[call.index("--method") + 1] for call in calls if "--method" in call]


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The LoRAs with one of them promoted, to be copied."""
    folder = tmp_path_factory.mktemp("world") / "checkout"
    ci_world.write_world(folder)
    command = str(folder / "bin" / "evalharness")
    settings = ["suite=gated", "subjects=[loras/old.safetensors]", *OVERRIDES.split()]
    assert subprocess.run([command, "run", *settings], cwd=folder, check=False, capture_output=True).returncode == 4
    words = ["promote", "runs/gated", "--to", "promoted", "--override", "the first", "--by", "Mai"]
    subprocess.run([command, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def repository(promoted: Path, tmp_path: Path) -> Repository:
    subprocess.run(["cp", "-r", str(promoted), str(tmp_path / "checkout")], check=True)
    return Repository(tmp_path)


@pytest.mark.parametrize(
    ("name", "code", "word", "tests"),
    [
        ("better", "0", "✔ Promote", {"failures": "0", "skipped": "0"}),
        ("equal", "0", "✔ Promote", {"failures": "0", "skipped": "0"}),
        ("worse", "3", "✖ Reject", {"failures": "1", "skipped": "1"}),
    ],
)
def test_candidate_is_judged_against_what_is_promoted(
    name: str, code: str, word: str, tests: dict[str, str], repository: Repository
) -> None:
    assert repository.gate(CANDIDATE=f"loras/{name}.safetensors") == code
    answer = repository.answer()
    assert answer["exit_code"] == int(code)
    assert answer["decision"] == ("REJECT" if name == "worse" else "PROMOTE")
    assert answer["rival"]["subject"] == "old"
    assert [check["rule"]["relative_to"] for check in answer["verdicts"][0]["checks"]] == ["absolute", "promoted"]
    (difference,) = answer["differences"]
    assert {"better": 0.25, "equal": 0.05, "worse": -0.75}[name] == pytest.approx(difference["paired"]["mean"])
    (suite,) = ElementTree.parse(repository.folder / "runs" / "gate" / "junit.xml").getroot()
    assert suite.get("name") == name
    assert {key: suite.get(key) for key in tests} == tests
    (said,) = repository.comments()
    assert f"### {word}: suite gated" in said["body"]
    assert f"{name} (strength 1) beside old (strength 1)" in said["body"]
    assert (repository.github / "summary.md").read_text() in said["body"]
    images = [line.rpartition("(./")[2].rstrip(")") for line in said["body"].splitlines() if "(./images/" in line]
    assert len(images) == (0 if name == "better" else 3)
    assert all((repository.folder / "runs" / "gate" / image).is_file() for image in images)


def test_report_of_a_merged_candidate_can_be_promoted_and_is_the_next_baseline(repository: Repository) -> None:
    assert repository.gate(CANDIDATE="loras/better.safetensors") == "0"
    (repository.folder / "runs" / "gate").rename(repository.folder / "downloaded")
    command = str(repository.folder / "bin" / "evalharness")
    words = [command, "promote", "downloaded", "--to", "promoted"]
    subprocess.run(words, cwd=repository.folder, check=True, capture_output=True)
    assert repository.gate(CANDIDATE="loras/old.safetensors") == "4"
    assert repository.answer()["rival"]["subject"] == "better"


def test_comment_is_created_once_and_then_updated(repository: Repository) -> None:
    # somebody quotes our marker, somebody's account is gone, and there are two pages
    repository.gate(CANDIDATE="loras/worse.safetensors")
    (first,) = repository.comments()
    marker = first["body"].splitlines()[0]
    assert marker.startswith("<!-- evalharness-gate ")
    before = [comment(1, "someone", f"{marker}\nnot yours"), comment(2, None, marker), comment(3, BOT, f"> {marker}")]
    (repository.github / "comments.json").write_text(json.dumps([before, [first]]))
    repository.gate(CANDIDATE="loras/better.safetensors", FOLDER="runs/again")
    assert repository.writes() == ["POST", "PATCH"]
    after = repository.comments()
    assert after[:3] == before
    assert "✔ Promote" in after[3]["body"]
    assert "✖ Reject" not in after[3]["body"]
    assert DEFAULTS["ARTIFACT_URL"] in after[3]["body"]
    # another gate of the same pull request has a comment of its own
    repository.step("comment.sh", COMMENT_KEY="of the other suite")
    assert len(repository.comments()) == 5


def test_pull_request_that_may_not_be_commented_fails_no_job(repository: Repository) -> None:
    (repository.github / "forbidden").touch()
    assert repository.step("comment.sh") == 0
    assert "::warning::" in repository.printed
    assert repository.step("comment.sh", PULL_REQUEST="") == 0
    assert "no pull request" in repository.printed


def test_without_a_baseline_nothing_is_enough_evidence(repository: Repository) -> None:
    assert repository.gate(PROMOTED_IN="") == "4"
    assert "? Not enough evidence: suite gated" in repository.comments()[0]["body"]
    (suite,) = ElementTree.parse(repository.folder / "runs" / "gate" / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SUITE": "gatd"}, "gatd"),
        ({"SUITE": "gated; touch broken"}, "the input suite is"),
        ({"CANDIDATE": " \n"}, "the input candidate is empty"),
        ({"CANDIDATE": "loras/none-*.safetensors"}, "no file matches"),
        ({"CANDIDATE": "loras/${oc.env:GH_TOKEN}.safetensors"}, "a dollar sign; rename the file"),
        ({"CANDIDATE": "x'],folder='y"}, "a quote"),
        ({"CANDIDATE": "$(touch broken)"}, "a dollar sign"),
        ({"CANDIDATE": "`touch broken`; touch broken #"}, "no file matches"),
        ({"BASE_MODEL": "it's"}, "the base model"),
        ({"OVERRIDES": "--config-dir=/"}, "begins with a dash"),
        ({"OVERRIDES": "folder=elsewhere"}, "has an input of its own"),
        ({"PROMOTED_IN": "nowhere"}, "holds no promotions.jsonl"),
    ],
)
def test_what_cannot_be_used_is_exit_code_2_and_a_sentence_in_the_comment(
    given: dict[str, str], words: str, repository: Repository
) -> None:
    assert repository.gate(**given) == "2"
    (said,) = repository.comments()
    assert "### ✖ Not judged (exit code 2)" in said["body"]
    assert words in said["body"]
    assert not (repository.folder / "broken").exists()
    assert not (repository.folder / "runs" / "gate" / "junit.xml").exists()
    assert repository.step("end.sh", EXIT_CODE="2") == 2


def test_verdict_of_an_earlier_candidate_is_not_taken_for_this_ones(repository: Repository) -> None:
    assert repository.gate(CANDIDATE="loras/better.safetensors") == "0"
    folder = repository.folder / "runs" / "gate"
    assert (folder / "gate.json").is_file()
    assert repository.gate(CANDIDATE="loras/none.safetensors") == "2"
    assert [name for name in ("junit.xml", "gate.json") if (folder / name).exists()] == []
    assert "✔ Promote" not in repository.comments()[0]["body"]


@pytest.mark.parametrize(
    ("code", "strict", "ends"),
    [
        ("0", "false", 0),
        ("0", "true", 0),
        ("3", "false", 3),
        ("4", "false", 0),
        ("4", "true", 4),
        ("2", "false", 2),
        ("1", "false", 1),
        ("137", "false", 137),
        ("", "false", 1),
        ("0; true", "false", 1),
        ("0", "yes", 2),
    ],
)
def test_job_ends_as_the_exit_code_says(code: str, strict: str, ends: int, repository: Repository) -> None:
    assert repository.step("end.sh", EXIT_CODE=code, FAIL_ON_INCONCLUSIVE=strict) == ends


def test_what_a_program_prints_is_no_command_to_the_runner(repository: Repository) -> None:
    (repository.folder / "bin" / "evalharness").write_text("#!/bin/sh\necho '::set-env name=A::b'\nexit 1\n")
    assert repository.step("gate.sh") == 0
    assert repository.outputs() == {"exit-code": "1"}
    before, token, inside = repository.printed.partition("::stop-commands::")
    assert (before, token) == ("", "::stop-commands::")
    word, _, rest = inside.partition("\n")
    assert len(word) == 32
    printed, _, after = rest.partition(f"::{word}::\n")
    assert "::set-env" in printed
    assert "::" not in after


def artifact(run: int, *, branch: str = "main", repository: int = 11, expired: bool = False) -> dict[str, Any]:
    origin = {"id": run, "head_branch": branch, "head_repository_id": repository}
    return {"created_at": f"2026-01-{run:02}T00:00:00Z", "expired": expired, "workflow_run": origin}


def test_baseline_is_the_newest_artifact_of_the_default_branch_and_of_nobody_else(repository: Repository) -> None:
    found = [
        artifact(1),
        artifact(2),
        artifact(3, expired=True),
        artifact(4, branch="a pull request"),
        artifact(5, repository=12),
    ]
    (repository.github / "artifacts.json").write_text(json.dumps([{"artifacts": found}]))
    home = repository.github / "artifacts" / "2"
    home.mkdir(parents=True)
    (repository.folder / "promoted").rename(home / "promoted")
    assert repository.step("fetch-promoted.sh") == 0, repository.printed
    assert repository.gate(PROMOTED_IN=repository.outputs()["folder"], CANDIDATE="loras/worse.safetensors") == "3"


@pytest.mark.parametrize(("name", "words"), [("promoted", "no artifact 'promoted'"), ("a&b=c", "must be letters")])
def test_missing_baseline_fails_instead_of_judging_without_it(name: str, words: str, repository: Repository) -> None:
    (repository.github / "artifacts.json").write_text(json.dumps([{"artifacts": [artifact(5, repository=12)]}]))
    assert repository.step("fetch-promoted.sh", ARTIFACT=name) == 2
    assert words in repository.printed


def test_only_a_hub_id_is_fetched(repository: Repository) -> None:
    (repository.folder / "bin" / "python").write_text('#!/bin/sh\necho "$@" >>"$GITHUB_WORLD/fetched"\n')
    for model in ("", "loras", "nowhere/at/all.safetensors", "-x/y", "a/b"):
        assert repository.step("fetch-model.sh", BASE_MODEL=model) == 0
    assert (repository.github / "fetched").read_text() == f"{ACTION}/fetch_model.py a/b\n"


def test_weights_are_fetched_once_and_not_as_pickles(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda model, **more: given.update(more, model=model))
    monkeypatch.syspath_prepend(str(ACTION))
    importlib.import_module("fetch_model").main("a/b")
    assert given.pop("model") == "a/b"
    wanted = [
        "model_index.json",
        "tokenizer/merges.txt",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    doubles = [
        "v1-5-pruned.safetensors",
        "v1-5-pruned.ckpt",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
    ]
    assert list(filter_repo_objects([*wanted, *doubles], **given)) == wanted


def test_caches_are_named_by_what_is_in_them(repository: Repository) -> None:
    keys = []
    for model, version in (("a/b", "3.11"), ("a,b" * 500, "3.11"), ("a/b", "3.13")):
        assert repository.step("keys.sh", BASE_MODEL=model, PYTHON_VERSION=version) == 0
        keys.append(repository.outputs())
    assert keys[0]["model"] != keys[1]["model"]
    assert keys[0]["model"] == keys[2]["model"]
    assert keys[0]["pip"] == keys[1]["pip"] != keys[2]["pip"]
    assert all("," not in value and len(value) < 512 for one in keys for value in one.values())


def test_action_installs_the_harness_that_it_is_a_part_of(repository: Repository) -> None:
    (repository.folder / "bin" / "python").write_text('#!/bin/sh\necho "$PIP_CONSTRAINT"\nrealpath "$6"\n')
    for constraints, seen in (("", ""), ("pins.txt", str(repository.folder / "pins.txt"))):
        assert repository.step("install.sh", CONSTRAINTS=constraints) == 0
        assert repository.printed.splitlines() == [seen, str(ACTION.parents[2])]

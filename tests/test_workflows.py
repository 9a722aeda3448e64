"""Workflows and the action, read as GitHub reads them: schema, inputs, contexts, versions, scripts, no injection."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = ROOT / ".github" / "actions" / "gate"
ACTION_FILE = ACTION / "action.yml"
REUSABLE = ROOT / ".github" / "workflows" / "gate-lora.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GUIDE = ROOT / "docs" / "ci.md"

MAJORS = {
    "actions/checkout": "v4",
    "actions/setup-python": "v5",
    "actions/cache": "v4",
    "actions/upload-artifact": "v4",
    "actions/download-artifact": "v4",
}
CONTEXTS = {"github", "inputs", "steps", "jobs", "matrix", "runner", "env"}
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
NEEDED = {"contents": "read", "actions": "read", "pull-requests": "write"}

Steps = list[dict[str, Any]]


class Loader(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:bool" or first not in "oOyYnN"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader)
    return loaded


def steps_of(path: Path) -> Steps:
    found = read(path)
    if "runs" in found:
        return list(found["runs"]["steps"])
    return [step for job in found["jobs"].values() for step in job.get("steps", ())]


def expressions(value: object) -> Iterator[str]:
    """Every expression below a value; an `if` is one without its braces, too."""
    if isinstance(value, str):
        yield from EXPRESSION.findall(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from [item] if key == "if" and isinstance(item, str) else expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


def names(expression: str) -> set[str]:
    """The dotted names in an expression; its texts and functions are none."""
    bare = re.sub(r"'[^']*'", "", expression.replace("${{", "").replace("}}", ""))
    return set(re.findall(r"(?<![\w.-])([a-z][\w-]*(?:\.[\w-]+)+)", bare))


@pytest.mark.parametrize(
    ("path", "schema"),
    [(ACTION_FILE, "vendor.github-actions"), *((path, "vendor.github-workflows") for path in WORKFLOWS)],
    ids=lambda value: getattr(value, "name", value),
)
def test_file_satisfies_githubs_schema(path: Path, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [ACTION_FILE, *WORKFLOWS], ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_version_that_exists(path: Path) -> None:
    for step in steps_of(path):
        uses = step.get("uses", "")
        if uses.startswith("./.evalharness/"):
            assert (ROOT / uses.removeprefix("./.evalharness/") / "action.yml").is_file()
        elif uses:
            name, _, version = uses.partition("@")
            assert MAJORS.get(name) == version, uses


def test_every_step_of_the_action_calls_a_script_and_every_script_is_called() -> None:
    called = set()
    for step in steps_of(ACTION_FILE):
        if "run" not in step:
            continue
        found = re.fullmatch(r'"\$GITHUB_ACTION_PATH/([\w-]+\.sh)"', step["run"])
        assert found, step["run"]
        assert step["shell"] == "bash"
        called.add(found[1])
    assert called == {path.name for path in ACTION.glob("*.sh")}
    for name in called:
        assert os.access(ACTION / name, os.X_OK)
        assert (ACTION / name).read_text().startswith("#!/usr/bin/env bash\n")
        subprocess.run(["bash", "-n", str(ACTION / name)], check=True)


@pytest.mark.parametrize("path", [ACTION_FILE, *WORKFLOWS], ids=lambda path: path.name)
def test_no_expression_becomes_text_of_a_script(path: Path) -> None:
    for step in steps_of(path):
        assert not EXPRESSION.search(step.get("run", "")), step
        assert "github-script" not in step.get("uses", "")
    for script in ACTION.glob("*.sh"):
        assert "${{" not in script.read_text()
        assert not re.search(r"\beval\b|\bbash -c\b|\bsh -c\b", script.read_text())


@pytest.mark.parametrize("path", [ACTION_FILE, REUSABLE], ids=lambda path: path.name)
def test_every_input_is_declared_described_and_used(path: Path) -> None:
    found = read(path)
    declared = found["inputs"] if "inputs" in found else found["on"]["workflow_call"]["inputs"]
    rest = {key: value for key, value in found.items() if key not in ("inputs", "on")}
    used = {name.removeprefix("inputs.") for one in expressions(rest) for name in names(one) if "inputs." in name[:7]}
    assert used == set(declared)
    for name, about in declared.items():
        assert about["description"], name
        assert about.get("required") or "default" in about, name


def test_reusable_workflow_gives_the_action_inputs_that_it_has() -> None:
    (step,) = (step for step in steps_of(REUSABLE) if step.get("uses", "").startswith("./"))
    declared = read(ACTION_FILE)["inputs"]
    assert set(step["with"]) <= set(declared)
    assert {name for name, about in declared.items() if about.get("required")} <= set(step["with"])
    own = read(REUSABLE)["on"]["workflow_call"]["inputs"]
    for name, value in step["with"].items():
        assert value == f"${{{{ inputs.{name} }}}}"
        default = own[name].get("default")
        assert {True: "true", False: "false"}.get(default, default) == declared[name].get("default"), name


@pytest.mark.parametrize("path", [ACTION_FILE, *WORKFLOWS], ids=lambda path: path.name)
def test_every_name_in_an_expression_is_known(path: Path) -> None:
    found, ids = read(path), [step["id"] for step in steps_of(path) if "id" in step]
    assert len(ids) == len(set(ids))
    for one in expressions(found):
        for name in names(one):
            context, *rest = name.split(".")
            assert context in CONTEXTS, name
            if context == "steps":
                assert rest[0] in ids, name
            if context == "jobs":
                assert rest[0] in found["jobs"], name


def test_outputs_of_a_step_are_those_that_its_script_writes() -> None:
    scripts = {step["id"]: step["run"] for step in steps_of(ACTION_FILE) if "id" in step and "run" in step}
    for one in expressions(read(ACTION_FILE)):
        for name in names(one):
            context, *rest = name.split(".")
            if context == "steps" and rest[0] in scripts and rest[1] == "outputs":
                script = (ACTION / Path(scripts[rest[0]].strip('"')).name).read_text()
                assert f'"{rest[2]}=' in script, name


def test_scripts_are_given_what_they_read_and_read_what_they_are_given() -> None:
    for step in steps_of(ACTION_FILE):
        if "run" not in step:
            continue
        text = (ACTION / Path(step["run"].strip('"')).name).read_text()
        given = set(step.get("env", {}))
        own = set(re.findall(r"^\s*(?:local )?([A-Z_]+)=", text, flags=re.MULTILINE))
        read_ones = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", text)) - {"BASH_SOURCE", "PWD"} - own
        runners = {name for name in read_ones if name.startswith(("GITHUB_", "RUNNER_"))}
        assert read_ones - runners <= given, step["run"]
        assert given <= read_ones | own | {"GH_TOKEN"}, step["run"]  # gh reads its token itself


def test_permissions_are_no_more_than_needed() -> None:
    found = read(REUSABLE)
    assert found["permissions"] == {}
    (job,) = found["jobs"].values()
    assert job["permissions"] == NEEDED
    for step in steps_of(REUSABLE):
        if step["uses"].startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    assert read(ROOT / ".github" / "workflows" / "check.yml")["permissions"] == {"contents": "read"}


def test_no_step_ends_the_job_before_the_report_and_the_comment() -> None:
    found = steps_of(ACTION_FILE)
    order = [Path(step["run"].strip('"')).name if "run" in step else step["uses"].partition("@")[0] for step in found]
    assert order[-4:] == ["gate.sh", "actions/upload-artifact", "comment.sh", "end.sh"]
    assert all(step["continue-on-error"] is True for step in found[-3:-1])
    assert "continue-on-error" not in found[-1]


def test_example_of_the_guide_satisfies_the_schema_and_gives_inputs_that_exist(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), flags=re.DOTALL)
    assert len(examples) >= 2
    for number, text in enumerate(examples):
        path = tmp_path / f"{number}.yml"
        path.write_text(text)
        test_file_satisfies_githubs_schema(path, "vendor.github-workflows")
        for job in read(path)["jobs"].values():
            if "gate-lora.yml@" in job.get("uses", ""):
                assert set(job["with"]) <= set(read(REUSABLE)["on"]["workflow_call"]["inputs"])
                # a called workflow may not have more than its caller
                assert job["permissions"] == NEEDED
            for step in job.get("steps", ()):
                if "/actions/gate@" in step.get("uses", ""):
                    assert set(step["with"]) <= set(read(ACTION_FILE)["inputs"])


def test_guide_names_every_input_of_the_action_and_every_exit_code() -> None:
    text = GUIDE.read_text("utf-8")
    for name in read(ACTION_FILE)["inputs"]:
        assert f"`{name}`" in text, name
    for code in range(5):
        assert f"| {code} |" in text

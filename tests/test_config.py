"""Overrides and files become one frozen configuration, and whatever is wrong is one sentence with the nearest key."""

from pathlib import Path

import msgspec
import pytest

from evalharness.config import compose, compose_calibration, compose_score, config_from_json
from evalharness.errors import ConfigError, SuiteError
from evalharness.prepare import open_scorers
from evalharness.suite import read_suite
from evalharness.types import Stack, StackedLora


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, as a newcomer has."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_run_without_overrides_is_the_demo() -> None:
    config = compose([])
    assert config.suite["name"] == "demo"
    assert (config.backend.name, config.backend.model) == ("diffusers", "demo:checkpoint")
    assert config.perception.name == "offline"
    assert config.folder == Path("runs/demo")
    assert config.subjects == ("demo:loras/sakichan-*.safetensors",), "the suite's own list is used where none is given"
    assert "subjects" not in config.suite


def test_archetypes_windows_are_shipped_and_a_users_file_replaces_them(here: Path) -> None:
    shipped = compose([]).scoring["harmony"]
    assert shipped["intensity"]["soft"][0] < shipped["intensity"]["energetic"][0]
    write(here / "conf" / "scoring" / "mine.yaml", "harmony: {three_stars: 0.9}\n")
    assert compose(["scoring=mine"]).scoring == {"harmony": {"three_stars": 0.9}}
    changed = compose(["scoring.harmony.intensity.soft=[0.1,0.9]"]).scoring["harmony"]["intensity"]
    assert changed["soft"] == [0.1, 0.9]


def test_misspelt_option_of_a_scorer_is_refused_with_the_nearest() -> None:
    config = compose(["scoring.harmony.tree_stars=0.9"])
    with pytest.raises(
        ConfigError, match=r"unknown option of scorer 'harmony' 'tree_stars'. Did you mean 'three_stars'"
    ):
        open_scorers(config.scoring, ("stars",))
    (stars,) = open_scorers({"harmony": {"three_stars": 0.9}}, ("stars",))
    assert stars.harmony.three_stars == 0.9


def test_overrides_reach_their_keys() -> None:
    config = compose(
        [
            "suite=harmony_grid",
            "backend.model=/path",
            "subjects=[/loras/*.safetensors]",
            "suite.seeds=[1,2,3,4]",
            "suite.settings.guidance_scale=[5,7]",
            "folder=elsewhere",
        ]
    )
    suite = read_suite(config.suite)
    assert config.backend.model == "/path"
    assert config.subjects == ("/loras/*.safetensors",)
    assert suite.seeds == (1, 2, 3, 4)
    assert suite.settings[0].guidance_scale == (5.0, 7.0)
    assert config.folder == Path("elsewhere")


def test_empty_list_of_subjects_means_the_base_model_alone() -> None:
    assert compose(["subjects=[]"]).subjects == ()


def test_suite_key_that_the_file_leaves_out_can_be_given() -> None:
    assert read_suite(compose(["suite.negative=blurry"]).suite).prompts[0].negative == "blurry"


def test_stored_configuration_is_read_back_without_hydra() -> None:
    config = compose(["backend=fake", "backend.options.delay=0.5"])
    assert config.backend.arguments["options"]["delay"] == 0.5
    assert config_from_json(msgspec.json.decode(msgspec.json.encode(config))) == config


def test_what_is_no_stored_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a stored run configuration"):
        config_from_json({"suite": 3})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "suite=dmeo",
            "unknown suite 'dmeo'. Did you mean 'demo'? "
            "Known: character_epochs, character_freedom, demo, harmony_grid.",
        ),
        ("backend=diffuser", "unknown backend 'diffuser'. Did you mean 'diffusers'?"),
        ("perception=null", "unknown perception 'None'"),
        ("suite={seeds: [1]}", "unknown suite"),
        ("bakend=fake", "unknown key 'bakend'. Did you mean 'backend'?"),
        ("backend.batchsize=3", "unknown backend key 'batchsize'. Did you mean 'batch_size'?"),
        ("+backend.batchsize=3", "unknown backend key 'batchsize'. Did you mean 'batch_size'?"),
        ("++backend.batchsize=3", "unknown backend key 'batchsize'. Did you mean 'batch_size'?"),
        ("+folde=x", "unknown key 'folde'. Did you mean 'folder'?"),
        ("+perception.options.depth=1", "unknown perception options key 'depth'"),
        ("hydra.run.dir=x", "unknown key 'hydra'"),
        ("~backend", "would leave out 'backend'"),
        ("folder=null", "folder: expected `str`, got `null`."),
        ("backend.batch_size=many", "backend.batch_size must be a whole number of at least 1, or auto."),
        ("backend.batch_size=0", "backend.batch_size: expected `int` >= 1."),
        ("backend=[", "cannot read the override 'backend=['"),
        ("harmony_grid", "cannot read the override 'harmony_grid'"),
        ("suite.seeds=1,2", "write a list as [1,2]"),
        ("subjects=3", "subjects must be a list of paths or patterns, not 3."),
        ("suite.description=${nope}", "Interpolation key 'nope' not found"),
    ],
)
def test_wrong_override_is_one_clear_sentence(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose([override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("override", ["suite.seds=[1]", "+suite.seds=[1]"])
def test_misspelt_suite_key_is_named_by_the_suite(override: str) -> None:
    with pytest.raises(SuiteError, match=r"suite demo has an unknown key 'seds'. Did you mean 'seeds'?"):
        read_suite(compose([override]).suite)


def test_own_files_are_searched_before_ours(here: Path) -> None:
    write(here / "suites" / "demo.yaml", "name: mine\nsubjects: [a.safetensors]\n")
    write(here / "conf" / "backend" / "fake.yaml", "name: fake\nbatch_size: 3\n")
    config = compose(["backend=fake"])
    assert (config.suite["name"], config.subjects) == ("mine", ("a.safetensors",))
    assert config.backend.batch_size == 3


def test_config_dir_is_searched_before_the_current_directory(here: Path) -> None:
    write(here / "suites" / "demo.yaml", "name: mine\nsubjects: []\n")
    write(here / "team's conf" / "suites" / "demo.yaml", "name: ours\nsubjects: []\n")
    assert compose([], config_dir=here / "team's conf").suite["name"] == "ours"


def test_unrelated_config_beside_the_user_is_not_read(here: Path) -> None:
    write(here / "config.yaml", "learning_rate: 1e-4\n")
    assert compose([]).suite["name"] == "demo"


def test_misspelt_key_in_an_own_file_is_refused(here: Path) -> None:
    write(here / "conf" / "backend" / "fake.yaml", "name: fake\nbatchsize: 3\n")
    with pytest.raises(ConfigError, match=r"unknown backend key 'batchsize'. Did you mean 'batch_size'?"):
        compose(["backend=fake"])


def test_broken_yaml_is_named_with_its_line(here: Path) -> None:
    write(here / "suites" / "broken.yaml", "name: [\n")
    with pytest.raises(ConfigError, match=r"broken.yaml.*line 2"):
        compose(["suite=broken"])


def test_missing_config_dir_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        compose([], config_dir=here / "nowhere")


def test_suite_without_subjects_asks_for_them(here: Path) -> None:
    write(here / "suites" / "mine.yaml", "name: mine\n")
    with pytest.raises(ConfigError, match="no subjects are given"):
        compose(["suite=mine"])


def test_score_takes_the_folder_backend_and_its_own_run_folder(here: Path) -> None:
    (here / "painter's").mkdir()
    config = compose_score(Path("painter's"), ["suite=harmony_grid"])
    assert (config.backend.name, config.subjects, config.images) == ("folder", (), "painter's")
    assert config.folder == Path("runs/harmony_grid-of-painter_s")
    assert compose_score(Path("painter's"), ["folder=x"]).folder == Path("x")


def test_score_of_a_missing_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="'nowhere' is not a folder of images"):
        compose_score(Path("nowhere"), [])


def test_group_that_an_own_config_leaves_out_is_missed(here: Path) -> None:
    write(here / "conf" / "config.yaml", "defaults:\n  - suites@suite: demo\n  - perception: offline\nfolder: x\n")
    with pytest.raises(ConfigError, match="backend must be a mapping, not None"):
        compose([])


def test_calibration_takes_presets_of_the_perceiver_only_from_a_suite_that_was_chosen(tmp_path: Path) -> None:
    assert compose_calibration(tmp_path, []).perception.options == {}
    assert compose_calibration(tmp_path, ["suite=demo"]).perception.options == {"proven": ["rope"]}


def test_a_suite_presets_options_of_the_perceiver() -> None:
    assert compose([]).perception.options == {"proven": ["rope"]}
    assert compose(["suite=harmony_grid"]).perception.options == {}


def test_stack_of_files_is_a_mapping_beside_plain_paths() -> None:
    config = compose(
        ["subjects=[a.safetensors, {name: duo, loras: [b.safetensors, {path: c.safetensors, clip: 0.4}]}]"]
    )
    duo = Stack(name="duo", loras=(StackedLora(path="b.safetensors"), StackedLora(path="c.safetensors", clip=0.4)))
    assert config.subjects == ("a.safetensors", duo)
    assert config_from_json(msgspec.json.decode(msgspec.json.encode(config))) == config


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("{name: duo, lora: []}", "unknown subjects key 'lora'. Did you mean 'loras'"),
        ("{name: duo, loras: [{path: a, modle: 1}]}", "unknown subjects.loras key 'modle'. Did you mean 'model'"),
        ("{loras: [a.safetensors]}", "missing required field `name`"),
        ("{name: duo, loras: a.safetensors}", "a stack is {name: duo"),
        ("{name: duo, loras: [{path: a, model: much}]}", "Expected `float`"),
    ],
)
def test_stack_that_cannot_be_read_is_refused(stack: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose([f"subjects=[{stack}]"])
    assert message in str(caught.value)

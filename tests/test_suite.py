"""A suite is read strictly: what is measured is what was written, and a mistake is named with its place."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
import yaml

from evalharness.errors import SuiteError
from evalharness.plan import ExistingFile, plan_existing
from evalharness.registry import ON_REQUEST, SCORERS
from evalharness.suite import SettingTemplate, Suite, read_suite
from evalharness.types import Expectation, Rule, Setting

SUITES = Path(__file__).parent.parent / "suites"


def raw(**changes: object) -> dict[str, object]:
    """A small suite; a change to None leaves the key out."""
    suite: dict[str, object] = {
        "name": "small",
        "prompts": [{"id": "hair", "text": "a girl", "axes": {"view": "front"}}, {"id": "eyes", "text": "blue eyes"}],
        "seeds": [1, 2],
        "scorers": ["faces", "harmony"],
        **changes,
    }
    return {key: value for key, value in suite.items() if value is not None}


def prompt(**keys: object) -> list[dict[str, object]]:
    return [{"id": "one", "text": "a girl", **keys}]


def grid(**keys: object) -> dict[str, object]:
    return {"template": "{mood} girl", "axes": {"mood": {"happy": "smiling", "sad": "crying"}}, **keys}


def shipped(name: str) -> Suite:
    return read_suite(yaml.safe_load((SUITES / f"{name}.yaml").read_text()))


def test_small_suite_has_the_defaults() -> None:
    suite = read_suite(raw(scorers=None))
    assert suite.strengths == (1.0,)
    assert suite.settings == (SettingTemplate(),)
    assert set(suite.scorers) == set(SCORERS) - ON_REQUEST, "without a list, all that need no download are used"
    assert suite.axes == {"view": ("front",)}
    assert suite.gates == () and suite.objective == {}


def test_expectations_of_the_suite_hold_for_each_prompt_unless_it_says_otherwise() -> None:
    suite = read_suite(
        raw(
            expect={"faces": 1, "emotion": "happy", "forbid": ["rope"]},
            negative="blurry",
            prompts=[
                {"id": "front", "text": "a"},
                {"id": "behind", "text": "b", "negative": "", "expect": {"faces": 0, "emotion": None}},
            ],
        )
    )
    front, behind = suite.prompts
    assert front.expect == Expectation(faces=1, emotion="happy", forbid=("rope",))
    assert behind.expect == Expectation(faces=0, forbid=("rope",))
    assert (front.negative, behind.negative) == ("blurry", "")


def test_grid_makes_every_combination_with_its_labels_and_expectations() -> None:
    views = {"front": "from the front", "behind": {"phrase": "from behind", "expect": {"faces": 0, "emotion": None}}}
    suite = read_suite(
        raw(
            prompts=None,
            grid=grid(
                template="{mood} girl {view}",
                expect={"emotion": "{mood}", "faces": 1},
                axes={"mood": {"happy": "smiling", "sad": "crying"}, "view": views},
            ),
        )
    )
    assert [one.id for one in suite.prompts] == ["happy_front", "happy_behind", "sad_front", "sad_behind"]
    assert suite.prompts[0].text == "smiling girl from the front"
    assert suite.prompts[0].axes == {"mood": "happy", "view": "front"}
    assert suite.prompts[2].expect == Expectation(emotion="sad", faces=1)
    assert suite.prompts[3].expect == Expectation(faces=0)


def test_listed_prompts_and_several_grids_go_together() -> None:
    other = {"template": "{mood} boy", "axes": {"mood": {"cross": "frowning"}}, "negative": "girl"}
    suite = read_suite(raw(grid=[grid(), other]))
    assert [one.id for one in suite.prompts] == ["hair", "eyes", "happy", "sad", "cross"]
    assert suite.prompts[-1].negative == "girl"


def test_settings_vary_along_each_axis() -> None:
    (template,) = read_suite(raw(settings={"steps": [8, 16], "guidance_scale": [5, 7], "sampler": "ddim"})).settings
    settings = template.settings((128, 64))
    assert [(one.steps, one.guidance_scale) for one in settings] == [(8, 5.0), (8, 7.0), (16, 5.0), (16, 7.0)]
    assert settings[0] == Setting(sampler="ddim", steps=8, guidance_scale=5.0, width=128, height=64)


def test_own_size_wins_over_the_native_one() -> None:
    small, native = read_suite(raw(settings=[{"size": [64, 128]}, {"size": "native"}])).settings
    assert (small.settings((512, 512))[0].width, small.settings((512, 512))[0].height) == (64, 128)
    assert native.settings((512, 512))[0].width == 512


def test_objective_is_what_the_gates_want_more_of() -> None:
    gates = [{"metric": "harmony", "at_least": 0.5}, {"metric": "faces", "at_most": 1.0}]
    assert read_suite(raw(gates=gates)).objective == {"harmony": 1.0}
    assert read_suite(raw(gates=gates, objective={"faces": 2})).objective == {"faces": 2.0}


def test_gate_is_read_with_its_words() -> None:
    gate = {"metric": "faces", "at_least": 0.9, "where": {"view": "front", "seed": 1}, "why": "one face"}
    rule = Rule(metric="faces", at_least=0.9, where={"view": "front", "seed": 1}, why="one face")
    assert read_suite(raw(gates=[gate])).gates == (rule,)


def test_digest_is_what_it_was_before_gates_could_trust_a_judge_alone_unless_one_does() -> None:
    gate = {"metric": "faces", "at_least": 0.9}
    suite = read_suite(raw(gates=[gate]))
    plain = msgspec.to_builtins(suite)
    for rule in plain["gates"]:
        del rule["judge_alone"]
    for one in plain["settings"]:
        del one["frames"], one["scored_frames"]
    body = json.dumps(plain, separators=(",", ":"))
    assert suite.digest == hashlib.sha256(body.encode()).hexdigest()
    assert read_suite(raw(gates=[gate | {"judge_alone": True}])).digest != suite.digest


def test_digest_changes_with_what_is_measured_and_with_nothing_else() -> None:
    suite = read_suite(raw())
    assert read_suite(dict(reversed(raw(subjects=["a"]).items()))).digest == suite.digest
    assert read_suite(raw(seeds=[1, 3])).digest != suite.digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "missing required field `name`"),
        ({"seeds": None}, "suite small: object missing required field `seeds`."),
        ({"seds": [1]}, "suite small has an unknown key 'seds'. Did you mean 'seeds'?"),
        ({"seeds": []}, "suite small: seeds is empty; give at least one."),
        ({"seeds": [1, 1]}, "suite small: seeds holds 1 twice"),
        ({"seeds": [-1]}, "seeds[0] is -1; a seed is at least 0"),
        ({"seeds": ["one"]}, "suite small: seeds[0]: expected `int`, got `str`."),
        ({"strengths": []}, "strengths is empty"),
        ({"strengths": [0.5, 0]}, "strengths[1] is 0; a strength is above 0, and 0, the baseline, is always measured."),
        ({"strengths": [1, 1.0]}, "strengths holds 1.0 twice"),
        ({"scorers": ["harmny"]}, "scorers[0]: unknown scorer 'harmny'. Did you mean 'harmony'?"),
        ({"scorers": ["faces", "faces"]}, "scorers holds faces twice"),
        ({"prompts": None}, "has no prompts"),
        ({"prompts": "a girl"}, "prompts[0] must be a mapping, not 'a girl'."),
        ({"prompts": [{"id": "hair"}]}, "suite small: prompts[0]: object missing required field `text`."),
        ({"prompts": prompt(text=" ")}, "prompts[0] needs an id and a text that are not empty."),
        ({"prompts": prompt(txt="a")}, "suite small: prompts[0] has an unknown key 'txt'. Did you mean 'text'?"),
        ({"prompts": prompt() * 2}, "suite small: prompts[1].id 'one' is used twice; ids must be unique."),
        ({"prompts": [*prompt(), {"id": "b", "text": "a girl"}]}, "prompts 'one' and 'b' have the same text"),
        ({"prompts": prompt(expect={"emotion": "hapy"})}, "prompts[0].expect.emotion: unknown emotion 'hapy'. Did you"),
        ({"prompts": prompt(expect={"emotions": "sad"})}, "prompts[0].expect has an unknown key 'emotions'. Did you"),
        ({"prompts": prompt(expect={"view": "profile"})}, "expect.view: unknown view 'profile'"),
        ({"prompts": prompt(expect={"faces": True})}, "prompts[0].expect.faces: expected `int | null`, got `bool`."),
        ({"prompts": prompt(expect={"faces": -1})}, "expect.faces is -1; a number of faces is 0 or more."),
        (
            {"prompts": prompt(expect={"hair_side": "lft"})},
            "expect.hair_side: unknown side 'lft'. Did you mean 'left'?",
        ),
        ({"expect": {"emotion": "hapy"}}, "unknown emotion 'hapy'. Did you mean 'happy'?"),
        ({"expect": {"emotoin": "sad"}}, "suite small: expect has an unknown key 'emotoin'. Did you mean 'emotion'?"),
        ({"expect": "happy"}, "suite small: expect must be a mapping, not 'happy'."),
        ({"negative": 3}, "prompts[0].negative: expected `str`, got `int`."),
        ({"grid": grid(template="{mod} girl")}, "grid[0].template has an unknown axis 'mod'. Did you mean 'mood'?"),
        ({"grid": grid(template="a girl")}, "grid[0].axes.mood is not in the template; write {mood} where it belongs."),
        ({"grid": grid(template="{mood girl")}, "write an axis as {name}, a brace as {{."),
        ({"grid": grid(axes={"mood": {}})}, "grid[0].axes.mood has no labels"),
        ({"grid": grid(axes={"mood": {"a": {"words": "x"}}})}, "grid[0].axes.mood.a has an unknown key 'words'."),
        ({"grid": grid(axes={"mood": {"a": {"phrase": "x", "expect": {"faces": -1}}}})}, "expect.faces is -1"),
        ({"grid": grid(expect={"emotion": "{mud}"})}, "grid[0].expect.emotion has an unknown axis 'mud'."),
        ({"settings": {"step": 3}}, "settings has an unknown key 'step'. Did you mean 'steps'?"),
        ({"settings": [{}, {"steps": 0}]}, "suite small: settings[1].steps is 0; an image needs at least 1 step."),
        ({"settings": {"steps": [8, "x"]}}, "suite small: settings.steps[1]: expected `int`, got `str`."),
        ({"settings": {"steps": []}}, "settings.steps is empty"),
        ({"settings": {"guidance_scale": -1}}, "settings.guidance_scale holds -1; it is 0 or more."),
        ({"settings": {"size": 512}}, "settings.size is 512; it is 'native' or [width, height]"),
        ({"settings": {"size": [512, 510]}}, "settings.size is [512, 510]"),
        ({"settings": []}, "settings is empty"),
        ({"settings": [{}, {}]}, "twice; each is measured once."),
        ({"gates": [{"metric": "harmny", "at_least": 1}]}, "gates[0].metric: unknown metric 'harmny'. Did you mean 'h"),
        ({"gates": [{"metric": "parts", "at_least": 1}]}, "unknown metric 'parts'. Known: faces, harmony."),
        ({"gates": [{"metric": "faces"}]}, "gates[0] has neither at_least nor at_most"),
        (
            {"gates": [{"metric": "faces", "atleast": 1}]},
            "gates[0] has an unknown key 'atleast'. Did you mean 'at_leas",
        ),
        ({"gates": [{"metric": "faces", "at_least": 1, "aggregate": "median"}]}, "unknown aggregate 'median'"),
        ({"gates": [{"metric": "faces", "at_least": 1, "relative_to": "base"}]}, "Did you mean 'baseline'?"),
        ({"gates": [{"metric": "faces", "at_least": 1, "passing": 1}]}, "go together"),
        ({"gates": [{"metric": "faces", "at_least": 1, "minimum_scored": 0}]}, "minimum_scored is 0"),
        ({"gates": [{"metric": "faces", "at_least": 1, "where": {"veiw": "x"}}]}, "Did you mean 'view'?"),
        ({"gates": ["faces"]}, "gates[0] must be a mapping"),
        ({"objective": {"harmny": 1}}, "suite small: objective has an unknown key 'harmny'. Did you mean 'harmony'?"),
        ({"objective": {"faces": 0}}, "objective.faces is 0; a weight is a number above 0."),
        ({"files": {"patern": "x"}}, "suite small: files has an unknown key 'patern'. Did you mean 'pattern'?"),
    ],
)
def test_mistake_is_one_sentence_with_its_place(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read_suite(raw(**changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_harmony_grid_is_the_published_experiment() -> None:
    suite = shipped("harmony_grid")
    assert len(suite.prompts) * len(suite.settings[0].settings((512, 512))) == 48
    assert [one.guidance_scale for one in suite.settings[0].settings((512, 512))] == [5.0, 7.0, 9.0]
    assert suite.settings[0].steps == (30,) and len(suite.seeds) == 3
    stoic_angry = next(one for one in suite.prompts if one.id == "stoic_angry")
    assert stoic_angry.text == (
        "cool anime character, narrow eyes, restrained expression, tight mouth, tense eyes, controlled anger, "
        "anime style, clean line art, emotionally unified face, balanced eyes mouth and eyebrows, "
        "no exaggerated expression"
    )
    assert (stoic_angry.expect.archetype, stoic_angry.expect.emotion, stoic_angry.expect.faces) == ("stoic", "angry", 1)


def test_character_epochs_asks_for_the_side_that_the_view_shows() -> None:
    suite = shipped("character_epochs")
    prompts = [one for one in suite.prompts if one.axes["trigger"] == "asked"]
    sides = {(one.axes["hairstyle"], one.axes["view"]): one.expect.hair_side for one in prompts}
    assert sides == {
        ("kept", "front"): "right",
        ("kept", "behind"): "left",
        ("kept", "left_profile"): "right",
        ("kept", "right_profile"): "left",
        **{("down", view): "none" for view in ("front", "behind", "left_profile", "right_profile")},
    }
    assert suite.strengths == (0.5, 0.7, 1.0)
    assert len(prompts) == 16
    assert all((one.expect.faces == 0) == (one.axes["view"] == "behind") for one in prompts)
    assert all(set(one.expect.forbid) == {"rope", "animal_ears", "collage"} for one in suite.prompts)
    for one in prompts:
        if one.axes["hairstyle"] == "kept":
            side = one.expect.hair_side
            assert f"Her side ponytail with a blue scrunchie is visible on the {side} side of the image." in one.text


def test_character_epochs_asks_for_unchanged_pictures_where_the_trigger_is_absent() -> None:
    suite = shipped("character_epochs")
    assert {"base_drift", "diversity"} <= set(suite.scorers)
    for one in suite.prompts:
        absent = one.axes["trigger"] == "absent"
        assert ("sakichan" in one.text) is not absent
        assert one.expect.like_base is absent
    # names of existing images do not say the trigger, and mean one prompt each
    fields = {"subject": "mine", "hairstyle": "down", "view": "left_profile", "pose": "running"}
    plan, _ = plan_existing(suite, [ExistingFile(path=SUITES / "character_epochs.yaml", fields=fields)])
    assert plan.cells[0].prompt.id == "down_left_profile_running_asked"
    # as many as a gate needs at one strength
    assert sum(one.expect.like_base for one in suite.prompts) * len(suite.seeds) >= 8


def test_demo_suite_has_several_prompts_seeds_and_gates() -> None:
    suite = shipped("demo")
    assert len(suite.prompts) == 14 and len(suite.seeds) == 2
    assert {one.expect.emotion for one in suite.prompts} == {"neutral", "happy", "sad", "angry", "surprised", None}
    assert suite.references == "demo:sakichan"
    assert {rule.metric for rule in suite.gates} <= set(suite.scorers)


@pytest.mark.parametrize("name", ["demo", "harmony_grid", "character_epochs"])
def test_stored_suite_is_read_back_as_it_was(name: str) -> None:
    suite = shipped(name)
    stored = msgspec.json.decode(msgspec.json.encode(suite), type=Suite)
    assert stored == suite and stored.digest == suite.digest

"""A plan holds each image once, in the cheapest order, with keys that change exactly when a pixel can."""

import dataclasses
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from evalharness.errors import SuiteError
from evalharness.plan import ExistingFile, MakerFacts, Plan, list_files, make_plan, plan_existing
from evalharness.suite import Suite, read_suite
from evalharness.types import BASELINE, Expectation, Subject

EARLY = Subject(name="early", identity="1" * 64)
LATE = Subject(name="late", identity="2" * 64)
FACTS = MakerFacts(fingerprint={"maker": "fake", "dtype": "float32"}, native_size=(128, 128))
AXES = {"archetype": {"soft": "gentle", "stoic": "cool"}, "emotion": {"happy": "smiling", "sad": "crying"}}
PATTERNS = ("{subject}__{archetype}_{emotion}_{variant}.png", "{archetype}_{emotion}_{variant}.png")


def suite(**changes: object) -> Suite:
    raw: dict[str, object] = {
        "name": "small",
        "grid": {"template": "{archetype} {emotion} girl", "axes": AXES},
        "seeds": [1, 2],
        "strengths": [0.5, 1.0],
        "settings": {"guidance_scale": [5, 7]},
        **changes,
    }
    return read_suite(raw)


def plan(given: Suite | None = None, facts: MakerFacts = FACTS) -> Plan:
    return make_plan(given or suite(), (EARLY, LATE), facts)


def test_every_draw_is_made_once_per_subject_and_strength_and_once_for_the_baseline() -> None:
    made = plan()
    draws = 4 * 2 * 2
    assert len(made.cells) == draws * (1 + 2 * 2)
    assert len({cell.key for cell in made.cells}) == len(made.cells)
    assert len({cell.pair_key for cell in made.cells}) == draws
    assert len(made.baseline) == draws
    assert [one.name for one in made.subjects] == [BASELINE, "early", "late"]


def test_baseline_comes_first_then_subject_strength_size_guidance_prompt_seed() -> None:
    made = plan(suite(settings=[{"guidance_scale": [7, 5]}, {"size": [64, 64]}]))
    assert [made.cells[0].subject, made.cells[0].strength] == [BASELINE, 0.0]
    levels = list(dict.fromkeys((cell.subject, cell.strength) for cell in made.cells))
    assert levels == [(BASELINE, 0.0), ("early", 0.5), ("early", 1.0), ("late", 0.5), ("late", 1.0)]
    first = made.cells[: len(made.baseline)]
    scales = list(dict.fromkeys((cell.setting.width, cell.setting.guidance_scale) for cell in first))
    assert scales == [(64, 5.0), (128, 7.0), (128, 5.0)]
    assert [(cell.prompt.id, cell.seed) for cell in first[:3]] == [
        ("soft_happy", 1),
        ("soft_happy", 2),
        ("soft_sad", 1),
    ]


def test_nothing_dear_is_switched_twice_and_batches_are_of_one_size() -> None:
    made = plan(suite(settings=[{"guidance_scale": [7, 5]}, {"size": [64, 64]}]))
    batches = list(made.batches(made.cells, 3))
    switched = {
        "subject": [subject.name for subject, _ in batches],
        "strength": [(subject.name, cells[0].strength) for subject, cells in batches],
        "size": [(subject.name, cells[0].strength, cells[0].setting.width) for subject, cells in batches],
    }
    for what, order in switched.items():
        entered = [one for one, _ in groupby(order)]
        assert len(entered) == len(set(entered)), f"a {what} is come back to"
    assert all(len({(cell.setting.width, cell.setting.height) for cell in cells}) == 1 for _, cells in batches)
    full = [len(cells) for _, cells in batches]
    assert sum(size < 3 for size in full) <= len(set(switched["size"])) * 2, "one short batch per setting at most"


def test_key_changes_with_all_that_can_change_a_pixel() -> None:
    before = plan().cells[-1]
    changed = [
        plan(facts=dataclasses.replace(FACTS, fingerprint={"maker": "fake", "dtype": "float16"})),
        plan(facts=dataclasses.replace(FACTS, native_size=(64, 64))),
        plan(suite(seeds=[1, 3])),
        plan(suite(negative="blurry")),
        plan(suite(settings={"guidance_scale": [5, 8]})),
        plan(suite(settings={"guidance_scale": [5, 7], "steps": 3})),
    ]
    assert before.pair_key not in {cell.pair_key for made in changed for cell in made.cells[-1:]}
    assert before.key not in {cell.key for made in changed for cell in made.cells}
    stronger = plan(suite(strengths=[0.5, 2.0])).cells[-1]
    assert stronger.key != before.key and stronger.pair_key == before.pair_key


def test_key_stays_when_only_names_or_expectations_change() -> None:
    before = plan()
    expecting = plan(suite(expect={"faces": 1}))
    assert expecting.cells[0].prompt.expect != Expectation()
    assert [cell.key for cell in expecting.cells] == [cell.key for cell in before.cells]
    renamed = make_plan(suite(), (EARLY, dataclasses.replace(LATE, name="best")), FACTS)
    assert [cell.key for cell in renamed.cells] == [cell.key for cell in before.cells]


def test_key_of_a_cell_stays_when_the_plan_grows() -> None:
    small, large = plan(suite(seeds=[2])), plan(suite(seeds=[1, 2, 3]))
    assert {cell.key for cell in small.cells} < {cell.key for cell in large.cells}


@pytest.mark.parametrize("scales", [[5], [5, 7]])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_batches_hold_one_subject_strength_and_setting(size: int, scales: list[int]) -> None:
    made = plan(suite(settings={"guidance_scale": scales}))
    batches = list(made.batches(made.cells, size))
    assert tuple(cell for _, cells in batches for cell in cells) == made.cells
    for subject, cells in batches:
        assert 1 <= len(cells) <= size
        assert {cell.subject for cell in cells} == {subject.name}
        assert len({(cell.strength, cell.setting) for cell in cells}) == 1


def test_subjects_of_some_cells_are_those_that_still_have_work() -> None:
    made = plan()
    assert made.subjects_of(made.cells[-3:]) == (LATE,)
    assert made.subjects_of(()) == ()


# Images that exist already


def pictures(folder: Path, *names: str, size: tuple[int, int] = (48, 64)) -> Path:
    for index, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (index, 0, 0)).save(folder / name)
    return folder


def existing(folder: Path, given: Suite | None = None, patterns: tuple[str, ...] = PATTERNS) -> Plan:
    chosen = given or suite()
    return plan_existing(chosen, list_files(folder, patterns, labels=chosen.axes))[0]


def said(name: str = "x.png", **fields: str) -> ExistingFile:
    return ExistingFile(path=Path(name), fields=fields)


def test_names_with_and_without_a_subject_become_cells(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "drawn", "lora_v1__soft_happy_v2.png", "soft_sad_1.jpg", "stoic_sad_3.webp")
    made = existing(folder)
    cells = [(cell.subject, cell.prompt.id, cell.seed, cell.strength) for cell in made.cells]
    assert cells == [
        ("lora_v1", "soft_happy", 2, 1.0),
        ("drawn", "soft_sad", 1, 1.0),
        ("drawn", "stoic_sad", 3, 1.0),
    ]
    assert made.cells[0].source == str(folder / "lora_v1__soft_happy_v2.png")
    assert (made.cells[0].setting.width, made.cells[0].setting.height) == (48, 64)
    assert [one.name for one in made.subjects] == ["lora_v1", "drawn"]


def test_same_variant_of_two_subjects_is_one_pair(tmp_path: Path) -> None:
    first, second = existing(pictures(tmp_path, "a__soft_sad_v1.png", "b__soft_sad_v1.png")).cells
    assert first.pair_key == second.pair_key and first.key != second.key


def test_key_follows_the_file(tmp_path: Path) -> None:
    before = existing(pictures(tmp_path, "soft_sad_1.png")).cells[0]
    Image.new("RGB", (48, 64), "white").save(tmp_path / "soft_sad_1.png")
    after = existing(tmp_path).cells[0]
    assert before.key != after.key and before.pair_key == after.pair_key


def test_images_without_a_number_are_counted(tmp_path: Path) -> None:
    made = existing(pictures(tmp_path, "soft_sad_a.png", "soft_sad_b.png", "soft_happy_a.png"))
    assert [(cell.prompt.id, cell.seed) for cell in made.cells] == [("soft_happy", 1), ("soft_sad", 1), ("soft_sad", 2)]


def test_fields_of_subfolders_cfg_and_strength_are_read(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "e1/soft_sad_cfg7_at0.5.png", "base/soft_sad_cfg7_at1.png")
    made = existing(folder, patterns=("{subject}/{archetype}_{emotion}_cfg{cfg}_at{strength}.png",))
    base, lora = made.cells
    assert (lora.subject, lora.setting.guidance_scale, lora.strength) == ("e1", 7.0, 0.5)
    assert (base.subject, base.strength) == (BASELINE, 0.0)
    assert made.baseline == {lora.pair_key: base}


def test_label_with_an_underscore_is_read_whole(tmp_path: Path) -> None:
    views = {"left": "left", "left_profile": "left profile"}
    given = suite(grid={"template": "{view} {pose}", "axes": {"view": views, "pose": {"up": "up"}}})
    made = existing(pictures(tmp_path, "left_profile_up_1.png"), given, ("{view}_{pose}_{seed}",))
    assert made.cells[0].prompt.id == "left_profile_up"


def test_csv_says_what_each_file_shows(tmp_path: Path) -> None:
    pictures(tmp_path, "1.png", "2.png")
    table = tmp_path / "labels.csv"
    table.write_text("file,prompt,subject,seed,stars\n1.png,soft_sad,a,7,3\n2.png,stoic_sad,a,,1\n")
    made, _ = plan_existing(suite(), list_files(tmp_path, table=table))
    assert [(cell.prompt.id, cell.seed) for cell in made.cells] == [("soft_sad", 7), ("stoic_sad", 1)]


def test_unreadable_image_stays_in_the_plan(tmp_path: Path) -> None:
    (tmp_path / "soft_sad_1.png").write_bytes(b"not an image")
    assert existing(tmp_path).cells[0].setting.width == 0


def test_file_that_fits_nothing_is_an_error_or_skipped(tmp_path: Path) -> None:
    pictures(tmp_path, "soft_sad_1.png", "cover.png")
    with pytest.raises(SuiteError, match=r"'cover\.png': the name does not fit .*skip_unmatched=true"):
        list_files(tmp_path, PATTERNS)
    assert [file.path.name for file in list_files(tmp_path, PATTERNS, skip_unmatched=True)] == ["soft_sad_1.png"]


def test_folder_without_fitting_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no image in"):
        list_files(tmp_path, PATTERNS)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [((), "files.pattern or files.csv"), (("{a}_{a}",), "write each field once"), (("{a b}",), "not readable")],
)
def test_pattern_that_cannot_be_read_is_refused(tmp_path: Path, patterns: tuple[str, ...], message: str) -> None:
    pictures(tmp_path, "a.png")
    with pytest.raises(SuiteError, match=message):
        list_files(tmp_path, patterns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("flie,prompt\n1.png,soft_sad\n", "unknown column 'file'. Did you mean 'flie'"),
        ("file\nnone.png\n", "names 'none.png', which is not in"),
    ],
)
def test_csv_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(SuiteError, match=message):
        list_files(tmp_path, table=tmp_path / "labels.csv")
    with pytest.raises(SuiteError, match="cannot be read"):
        list_files(tmp_path, table=tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"archetype": "sofd", "emotion": "sad"}, "'x.png' has an unknown archetype 'sofd'. Did you mean 'soft'?"),
        ({"prompt": "soft_sat"}, "'x.png' has an unknown prompt 'soft_sat'. Did you mean 'soft_sad'?"),
        ({"archetype": "soft"}, r"says archetype soft, which fits 2 prompts \('soft_happy', 'soft_sad'"),
        ({}, "says no axis of the suite, which fits 4 prompts"),
        ({"prompt": "soft_sad", "cfg": "6"}, "unknown cfg '6'.* Known: 5, 7."),
        ({"prompt": "soft_sad", "cfg": "high"}, "has cfg 'high'; it is a number"),
        ({"prompt": "soft_sad", "strength": "-1"}, "has strength '-1'; it is a number"),
    ],
)
def test_fields_that_mean_no_cell_are_refused(fields: Mapping[str, str], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        plan_existing(suite(), [said(**fields)])


def test_labels_that_no_prompt_has_together_are_refused() -> None:
    given = read_suite(
        {
            "name": "two",
            "seeds": [1],
            "prompts": [
                {"id": "a", "text": "a", "axes": {"view": "front", "hair": "up"}},
                {"id": "b", "text": "b", "axes": {"view": "behind", "hair": "down"}},
            ],
        }
    )
    with pytest.raises(SuiteError, match="says view front, hair down, and no prompt"):
        plan_existing(given, [said(view="front", hair="down")])


def test_two_files_of_one_draw_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path, "soft_sad_1.jpg", "soft_sad_1.png")
    with pytest.raises(SuiteError, match=r"'soft_sad_1\.jpg' and 'soft_sad_1\.png' are both prompt 'soft_sad', seed 1"):
        existing(tmp_path)


def test_stored_plan_is_read_back_as_it_was() -> None:
    made = plan()
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made

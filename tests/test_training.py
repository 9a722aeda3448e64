"""What LoRA files say of their training is shown in words, explains failures, and raises doubts about the base."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from judging import epoch, matrix, metric
from safetensors.numpy import save_file

from evalharness.cli import main
from evalharness.gate import judge
from evalharness.training import Base, base_doubt, flips, old_hash, stacks, training_facts, trainings
from evalharness.types import BASELINE, Criteria, LoraFile, Rule, Subject

KOHYA = {
    "ss_network_dim": "32",
    "ss_network_alpha": "16.0",
    "ss_learning_rate": "0.0001",
    "ss_unet_lr": "0.0001",
    "ss_text_encoder_lr": "None",
    "ss_resolution": "(1024, 1024)",
    "ss_sd_model_name": "animagine-xl-3.1.safetensors",
    "ss_new_sd_model_hash": "1449e5b0b9de87b0f414c5f29cb11ce3b3dc61fa2b320e784c9441720bf7b766",
    "ss_sd_model_hash": "e3c47aed",
}
DATASETS = json.dumps([{"resolution": [768, 1024], "subsets": [{"flip_aug": False}, {"flip_aug": True}]}])


def lora(name: str, metadata: Mapping[str, str], model: float = 1.0) -> LoraFile:
    return LoraFile(path=Path(f"{name}.safetensors"), digest=name, metadata=metadata, model=model)


def test_kohyas_metadata_is_said_in_words() -> None:
    assert training_facts(KOHYA) == {
        "rank": "32",
        "alpha": "16.0",
        "learning rate": "0.0001",
        "denoiser's learning rate": "0.0001",
        "resolution": "(1024, 1024)",
        "base model": "animagine-xl-3.1.safetensors",
        "base model's hash": "1449e5b0b9de",
    }


@pytest.mark.parametrize(
    ("metadata", "facts"),
    [
        ({}, {}),
        ({"ss_network_dim": "None", "ss_datasets": "{broken", "lora_adapter_metadata": "[]"}, {}),
        ({"ss_datasets": DATASETS}, {"resolution": "768 x 1024", "flip_aug": "true"}),
        ({"ss_flip_aug": "False"}, {"flip_aug": "false"}),
        ({"modelspec.architecture": "wan2.2/lora"}, {"base model": "wan2.2/lora"}),
        ({"lora_adapter_metadata": '{"unet.r": 8, "unet.lora_alpha": 4}'}, {"rank": "8", "alpha": "4"}),
    ],
)
def test_other_metadata_is_read_as_far_as_it_goes(metadata: dict[str, str], facts: dict[str, str]) -> None:
    assert training_facts(metadata) == facts


def test_what_all_files_share_is_said_once() -> None:
    base = Subject(name=BASELINE, identity=BASELINE)
    two = [
        Subject(name=f"e{rate}", identity=rate, loras=(lora(rate, {"ss_network_dim": "8", "ss_learning_rate": rate}),))
        for rate in ("0.1", "0.2")
    ]
    assert trainings([base, *two]) == {
        "all": {"rank": "8"},
        "e0.1": {"learning rate": "0.1"},
        "e0.2": {"learning rate": "0.2"},
    }
    assert trainings([base]) == {}


def test_stacks_list_their_files_and_strengths() -> None:
    duo = Subject(name="duo", identity="x", loras=(lora("a", {}), lora("b", {}, model=0.6)))
    alone = Subject(name="a", identity="a", loras=(lora("a", {}),))
    words = "a.safetensors (model 1, clip 1), b.safetensors (model 0.6, clip 1)"
    assert stacks([Subject(name=BASELINE, identity=BASELINE), alone, duo]) == {"duo": words}


@pytest.mark.parametrize("flipped", [True, False])
def test_failed_hair_side_names_flipped_training_as_the_cause(flipped: bool) -> None:
    subject = epoch(8)
    subject = Subject(
        name=subject.name, identity=subject.identity, loras=(lora("x", {"ss_flip_aug": str(flipped)}),), epoch=8
    )
    subjects = (Subject(name=BASELINE, identity=BASELINE), subject)
    cells, scores = matrix(subjects, lambda cell: {"hair_side": float(cell.seed % 4 == 0)}, 6, 4)
    rule = Rule(metric="hair_side", aggregate="share_passing", passing=0.9, at_least=0.8)

    judged = judge(cells, scores, Criteria(gates=(rule,)), subjects, {"hair_side": metric("hair_side")})

    ending = " asked (trained with flip_aug=true, which teaches both sides: the likely cause)"
    assert judged.verdicts[0].reason.endswith(ending if flipped else " asked")


def test_the_hash_of_the_base_is_compared_where_both_are_known(tmp_path: Path) -> None:
    same = Base(name="renamed.safetensors", sha256=KOHYA["ss_new_sd_model_hash"])
    other = Base(name="other.safetensors", sha256="00" * 32, old_hash="00000000")
    old_only = {key: value for key, value in KOHYA.items() if key != "ss_new_sd_model_hash"}

    assert base_doubt(KOHYA, same) == ""
    assert base_doubt(KOHYA, other) == (
        "trained on animagine-xl-3.1.safetensors (1449e5b0b9de); loaded is other.safetensors (000000000000)"
    )
    assert "(old hash e3c47aed); loaded is other.safetensors (00000000)" in base_doubt(old_only, other)
    assert base_doubt(old_only, Base(name="other", sha256="00" * 32, old_hash="e3c47aed")) == ""


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("models/Animagine-XL-3.1", False),
        ("cagliostrolab/animagine-xl-3.1", False),
        ("models/illustrious", True),
    ],
)
def test_a_folder_has_a_name_to_compare_and_nothing_more(name: str, doubt: bool) -> None:
    said = base_doubt(KOHYA, Base(name=name))
    assert ("nobody can tell whether they are the same" in said) == doubt
    assert base_doubt({}, Base(name=name)) == ""


def test_the_old_hash_is_of_the_second_mebibyte_s_beginning(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"a" * 0x100000 + b"b" * 0x10000 + b"c")
    assert old_hash(path) == hashlib.sha256(b"b" * 0x10000).hexdigest()[:8]


def test_flips_is_unknown_where_nothing_is_said() -> None:
    assert flips({}) is None


def test_show_and_report_list_training_stack_and_doubt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for value, name in enumerate("ab"):
        save_file({"up": np.full((2, 2), value, np.float32)}, f"{name}.safetensors", {**KOHYA, "ss_flip_aug": "True"})
    Path("model.safetensors").write_bytes(b"not the base that they were trained on")
    subjects = "subjects=[a.safetensors, {name: duo, loras: [a.safetensors, {path: b.safetensors, clip: 0.5}]}]"
    # the fake maker means nothing by its model; the record compares what was asked for
    asked = ["backend=fake", "backend.model=model.safetensors", "suite=harmony_grid", "folder=out", subjects]
    prompts = "suite.prompts=[{id: a, text: a girl}, {id: b, text: a boy}]"
    few = ["~suite.grid", prompts, "suite.gates=[]", "suite.settings.size=[64, 64]"]
    main(["run", *asked, "suite.seeds=[1]", *few])
    ran = capsys.readouterr().out
    assert "warning" in ran and "trained on animagine-xl-3.1.safetensors (1449e5b0b9de)" in " ".join(ran.split())

    main(["show", "out"])

    shown = " ".join(capsys.readouterr().out.split())
    assert "stack duo: " in shown and "b.safetensors (model 1, clip 0.5)" in shown
    assert "training all: rank 32, alpha 16.0" in shown and "flip_aug true" in shown
    report = Path("out/report.html").read_text()
    assert "flip_aug: true" in report and "loaded is model.safetensors" in report

"""Stand-ins for vision models: tiny ONNX graphs with the real inputs and outputs, in a Hugging Face cache on disk.

They answer to a picture's mean colour, in the channel order and range that the real models take: the tagger's `smile`
is red, `rope` green, `watermark` blue; a model that is given another order or range answers otherwise.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from evalharness.models.table import Model, models

REDDISH = ("smile", ":d", "sparkling_eyes", "raised_eyebrows", "solo", "1girl", "red_hair")
GREENISH = ("rope", "animal_ears", "frown", "v-shaped_eyebrows", "closed_eyes", "solo", "1girl", "green_hair")
BLUISH = ("watermark", "multiple_views", "faceless", "blue_hair", "tears")
NEVER = ("hat", "rain", "bound", "no_pupils", "english_text", "2girls", "from_behind", "open_mouth")
GENERAL = tuple(dict.fromkeys((*REDDISH, *GREENISH, *BLUISH, *NEVER)))
CHARACTERS = ("hatsune_miku", "saber_(fate)")
RATINGS = ("general", "explicit")
WIDTH = 8

Array = NDArray[np.float32]

TABLE_OF_A_URL = """
[own-landmarker]
kind = "landmarks"
about = "a stand-in"
repository = "nowhere"
revision = "1"
license = "none"
output = "points"
url = "%s"
[own-landmarker.input]
size = 256
fit = "stretch"
resample = "bilinear"
order = "RGB"
layout = "NHWC"
divide = 255.0
[own-landmarker.files."face.task"]
sha256 = "%s"
"""


def tags_csv() -> str:
    """A selected_tags.csv with the real columns: ratings first, then general tags, then characters."""
    kinds = [*((name, 9) for name in RATINGS), *((name, 0) for name in GENERAL), *((name, 4) for name in CHARACTERS)]
    lines = [f"{number},{name},{kind},{1000 - number}" for number, (name, kind) in enumerate(kinds, start=1)]
    return "\n".join(("tag_id,name,category,count", *lines)) + "\n"


def tagger(bias: float = -6.0) -> bytes:
    """(n, 448, 448, 3) BGR 0..255 -> a probability for each line: sigmoid of the mean colour's reds, greens, blues."""
    names = (*RATINGS, *GENERAL, *CHARACTERS)
    weights = np.zeros((3, len(names)), np.float32)
    for channel, tags in enumerate((BLUISH, GREENISH, REDDISH)):
        for tag in tags:
            weights[channel, names.index(tag)] = 10.0 / 255.0
    # of characters and ratings the stand-in is always sure, so that a test sees whether they are left out
    offsets = np.array([bias if name in GENERAL else 4.0 for name in names], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["sum"]),
        helper.make_node("Add", ["sum", "offsets"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["output"]),
    ]
    held = {"axes": np.array([1, 2], np.int64), "weights": weights, "offsets": offsets}
    return _graph(nodes, held, ("n", 448, 448, 3), ("n", len(names)))


def features() -> bytes:
    """(n, 3, 384, 384) normalised RGB -> (n, 8): the mean colour, turned into eight numbers."""
    turn = np.random.default_rng(1).normal(size=(3, WIDTH)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "turn"], ["output"]),
    ]
    return _graph(nodes, {"axes": np.array([2, 3], np.int64), "turn": turn}, ("n", 3, 384, 384), ("n", WIDTH))


def metric(scale: float = 0.5) -> bytes:
    """(n, 8) -> (n, n): scale x (1 - cosine), cut to 0..1."""
    nodes = [
        helper.make_node("LpNormalization", ["input"], ["unit"], axis=1, p=2),
        helper.make_node("Transpose", ["unit"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["unit", "turned"], ["cosine"]),
        helper.make_node("Sub", ["one", "cosine"], ["apart"]),
        helper.make_node("Mul", ["apart", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "zero", "one"], ["output"]),
    ]
    held = {"one": np.float32(1.0), "zero": np.float32(0.0), "scale": np.float32(scale)}
    return _graph(nodes, held, ("n", WIDTH), ("n", "n"))


def corruption() -> bytes:
    """(n, 3, 384, 384) in -1..1 RGB -> (n, 2): the bluer, the more corrupted."""
    turn = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, -3.0]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "turn"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["output"], axis=1),
    ]
    return _graph(nodes, {"axes": np.array([2, 3], np.int64), "turn": turn}, ("n", 3, 384, 384), ("n", 2))


def detector(columns: Sequence[Sequence[float]]) -> bytes:
    """(1, 3, height, width) in 0..1 RGB -> (1, 5, n): the boxes given, their confidence times the mean brightness."""
    boxes = np.array(columns, np.float32).T[np.newaxis]
    last = np.array([0, 0, 0, 0, 1], np.float32).reshape(1, 5, 1)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=1),
        helper.make_node("Reshape", ["mean", "shape"], ["level"]),
        helper.make_node("Mul", ["level", "last"], ["factor"]),
        helper.make_node("Add", ["factor", "rest"], ["factors"]),
        helper.make_node("Mul", ["boxes", "factors"], ["output0"]),
    ]
    held = {"boxes": boxes, "last": last, "rest": 1 - last, "shape": np.array([1, 1, 1], np.int64)}
    return _graph(nodes, held, (1, 3, "height", "width"), (1, 5, len(columns)), ("images", "output0"))


FACE = (48.0, 40.0, 40.0, 44.0, 0.9)
SAME_FACE = (49.0, 41.0, 40.0, 44.0, 0.8)
HEAD, OTHER_HEAD, SAME_HEAD = (
    (30.0, 40.0, 30.0, 36.0, 0.9),
    (70.0, 40.0, 30.0, 36.0, 0.6),
    (31.0, 40.0, 30.0, 36.0, 0.5),
)
EYES = ((20.0, 25.0, 8.0, 6.0, 0.8), (40.0, 25.0, 8.0, 6.0, 0.7), (50.0, 60.0, 8.0, 6.0, 0.1))
DOUBTFUL = (90.0, 90.0, 20.0, 20.0, 0.2)


def files_of(kind: str) -> tuple[bytes, ...]:
    """The files of a kind of model, in the table's order."""
    made = {
        "tagger": (tagger, lambda: tags_csv().encode()),
        "identity": (features, metric),
        "corruption": (corruption,),
        "faces": (lambda: detector([SAME_FACE, FACE, DOUBTFUL]),),
        "heads": (lambda: detector([HEAD, OTHER_HEAD, SAME_HEAD]),),
        "eyes": (lambda: detector(EYES),),
    }
    return tuple(make() for make in made[kind])


NAMES = (
    "wd-swinv2-tagger-v3",
    "ccip-caformer-24-randaug-pruned",
    "ai-corrupt-caformer-s36-v0-focal",
    "anime-face-v1.4-s",
)


MORE = ("anime-head-v2.0-s", "anime-eye-v1.0-s")
"""Detectors that perception=anime asks only where they are named."""


def install(folder: Path, patch: pytest.MonkeyPatch, names: Sequence[str] = NAMES) -> None:
    """Stand-ins for models of the table: a table with their digests, and a cache that holds them; hub off."""
    known = models()
    made = {name: dict(zip(known[name].files, files_of(known[name].kind), strict=True)) for name in names}
    write_table(folder / "models.toml", known, made)
    use_cache(folder / "hub", patch)
    patch.setenv("EVALHARNESS_MODELS", str(folder / "models.toml"))
    for name, files in made.items():
        put(folder / "hub", known[name], files)


def use_cache(hub: Path, patch: pytest.MonkeyPatch, *, offline: bool = True) -> None:
    """Another Hugging Face cache, for this process and those it starts."""
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    patch.setenv("HF_HUB_CACHE", str(hub))
    patch.setenv("HF_HUB_OFFLINE", "1" if offline else "0")


def put(hub: Path, model: Model, files: Mapping[str, bytes]) -> None:
    """Files of a model as the hub's own client lays them out: a blob, and a link to it in the revision's folder."""
    root = hub / f"models--{model.repository.replace('/', '--')}"
    for name, body in files.items():
        blob = root / "blobs" / hashlib.sha256(body).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(body)
        link = root / "snapshots" / model.revision / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(blob)


def write_table(path: Path, known: Mapping[str, Model], made: Mapping[str, Mapping[str, bytes]]) -> None:
    """Entries of the table with other bytes; a model whose digest the table does not know keeps it unknown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_entry(known[name], files) for name, files in made.items()))


def _entry(model: Model, files: Mapping[str, bytes]) -> str:
    told = model.input
    lines = [f'["{model.name}"]']
    lines += [f'{key} = "{getattr(model, key)}"' for key in ("kind", "about", "repository", "revision", "license")]
    lines += [f'output = "{model.output}"', f"default = {str(model.default).lower()}"]
    lines += [f"threshold = {model.threshold}"] * (model.threshold is not None)
    lines += [f'["{model.name}".input]', f"size = {told.size}", f"divide = {told.divide}"]
    lines += [f'{key} = "{getattr(told, key)}"' for key in ("fit", "resample", "order", "layout")]
    lines += [f"{key} = {list(getattr(told, key))}" for key in ("mean", "std")]
    lines += [f"shortest = {told.shortest}"] * (told.shortest is not None)
    for name, body in files.items():
        lines.append(f'["{model.name}".files."{name}"]')
        if model.files[name].sha256 is not None:
            lines += [f'sha256 = "{hashlib.sha256(body).hexdigest()}"', f"bytes = {len(body)}"]
    return "\n".join(lines) + "\n"


def _graph(
    nodes: Sequence[onnx.NodeProto],
    held: Mapping[str, Array | np.float32 | NDArray[np.int64]],
    takes: Sequence[int | str],
    gives: Sequence[int | str],
    names: tuple[str, str] = ("input", "output"),
) -> bytes:
    graph = helper.make_graph(
        list(nodes),
        "stand-in",
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, list(takes))],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, list(gives))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()

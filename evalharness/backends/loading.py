"""From a located model to a pipeline in memory, and the device and precision it runs in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalharness.backends import families, weights
from evalharness.backends.families import Family
from evalharness.backends.samplers import diffusers_noise_off
from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.environment import installed_version
from evalharness.errors import BackendError, unknown

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "float32", "float16", "bfloat16")
DEVICES = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str) -> "torch.device":
    """The device of a name; auto is CUDA, else Apple's GPU, else the CPU. Raises BackendError for one not here."""
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in available.items() if here))
    kind = name.split(":", maxsplit=1)[0]
    if kind not in available:
        raise BackendError(unknown("device", name, DEVICES))
    if not available[kind]:
        raise BackendError(f"device '{name}' is not available on this machine; use backend.device=auto.")
    return torch.device(name)


def pick_dtype(name: str, device: "torch.device", on_cuda: str = "float16") -> "torch.dtype":
    """The precision of a name; auto is `on_cuda` on CUDA, else float32. Raises BackendError for an unknown one."""
    import torch

    if name not in DTYPES:
        raise BackendError(unknown("dtype", name, DTYPES))
    chosen = (on_cuda if device.type == "cuda" else "float32") if name == "auto" else name
    kind: torch.dtype = getattr(torch, chosen)
    return kind


def versions() -> dict[str, str]:
    """The versions that can change a pixel, without importing what they are versions of."""
    return {name: str(installed_version(name)) for name in ("torch", "diffusers", "transformers", "peft")}


def family_of(path: Path, config: str | None = None) -> Family:
    """The family of a located model: as its index says, or by its tensors' names for a single file.

    A file that holds nothing but a transformer is of the family of its `config` folder.
    """
    if path.is_dir():
        return families.of_pipeline(str(weights.read_json(weights.index(path)).get("_class_name")))
    if config is not None and (folder := weights.locate(config, allow_pickle=True)).is_dir():
        given = family_of(folder)
        if not given.marker:
            return given
    names = weights.tensor_names(path) if path.suffix == ".safetensors" else _pickled_names(path)
    return families.of_keys(names, str(path))


def _pickled_names(path: Path) -> tuple[str, ...]:
    """The tensors' names in an allowed pickle, opened by torch's reader that refuses all code but tensors'."""
    import torch

    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        return tuple(values.get("state_dict", values))
    except Exception as error:  # unpickling raises anything
        raise BackendError(f"{path} cannot be read as a checkpoint; convert it to .safetensors.") from error


def native_size(path: Path, family: Family) -> tuple[int, int]:
    """Width and height in pixels that a located model was trained for, read from its configs where they tell."""
    return (weights.latent_size(path, family.backbone) if path.is_dir() else None) or family.size


def config_folder(path: Path, config: str | None) -> Path | None:
    """The pipeline folder that a single file takes its architecture and scheduler from; None for a model folder.

    It is `config` or else the family's own in the hub's local cache; BackendError says what to fetch or give.
    """
    if path.is_dir():
        return None
    if config is not None:
        return weights.locate(config, allow_pickle=True)
    known = family_of(path).single_file_config
    try:
        return weights.locate(known, allow_pickle=True)
    except BackendError:
        raise BackendError(
            f"{path} is a single file and holds no configs; give a folder of them with backend.options.config=FOLDER, "
            f"or fetch them first: hf download {known} --include '*.json' '*.txt'"
        ) from None


def load_pipeline(path: Path, config: Path | None, family: Family, dtype: "torch.dtype", pickle: bool) -> Any:
    """The pipeline of a located model and its `config_folder`, on the processor; never downloads.

    Raises BackendError: for damaged files, and with the loader's own words for a model that is not whole.
    """
    weights.check_safetensors(path)
    ensure_torchvision()
    import torch

    kinds = {"default": dtype, **{name: torch.float32 for name in family.full_precision}}
    options = {"dtype": kinds if family.full_precision else dtype, "local_files_only": True}
    _hide_progress()
    try:
        with diffusers_noise_off():
            if config is None:
                return family.load(path, {**options, "use_safetensors": None if pickle else True})
            return family.load_file(path, config, options)
    except BackendError:
        raise
    except Exception as error:  # loaders raise nearly every built-in type for a folder that is not whole
        cause = " ".join(str(error).split())[:300] or type(error).__name__
        raise BackendError(f"{path} cannot be loaded as {family.pipeline}: '{cause}'.") from error


def _hide_progress() -> None:
    """Loading bars of the libraries would break our own."""
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()

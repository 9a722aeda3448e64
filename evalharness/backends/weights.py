"""Model files on disk: where they are, which of them count, their digest, and whether they are safe to open."""

import difflib
import json
import re
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from evalharness.digest import digest, file_digest
from evalharness.errors import BackendError
from evalharness.paths import resolve

INDEX = "model_index.json"
MODULAR_INDEX = "modular_model_index.json"
PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth"})
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TEXTS = frozenset({".json", ".txt", ".model", ".jinja"})
_UNUSED = frozenset({"safety_checker", "feature_extractor"})


def locate(model: str, allow_pickle: bool = False) -> Path:
    """The folder or file of a model given as a path, `demo:...` or hub id (from the local cache only).

    Raises BackendError: for what is not there, for folders without model_index.json, for pickles not allowed.
    """
    path = resolve(model)
    if not path.exists():
        path = _cached(model, path)
    if path.is_dir():
        return _checked_folder(path, allow_pickle)
    if path.suffix in PICKLES and not allow_pickle:
        raise BackendError(_pickle_refusal(path))
    if path.suffix not in PICKLES | {".safetensors"}:
        raise BackendError(f"{path} is not a model; give a folder with {INDEX}, a .safetensors file or a hub id.")
    return path


def _cached(model: str, path: Path) -> Path:
    """The snapshot of a hub id in the local cache; never downloads, so that a run cannot begin with a surprise."""
    hint = _nearest(path)
    if not _HUB_ID.fullmatch(model):
        raise BackendError(f"model '{model}' does not exist.{hint} Give a folder with {INDEX} or a .safetensors file.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, ValueError):
        message = f"model '{model}' is neither a folder nor in the Hugging Face cache.{hint}"
        raise BackendError(f"{message} Give an existing folder, or fetch it first: hf download {model}") from None


def _nearest(path: Path) -> str:
    """' Did you mean ...?' for the nearest name beside the missing path, or nothing."""
    if not path.parent.is_dir():
        return ""
    close = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1, cutoff=0.5)
    return f" Did you mean '{path.parent / close[0]}'?" if close else ""


def _checked_folder(folder: Path, allow_pickle: bool) -> Path:
    """The folder itself, once it is a pipeline's and its weights are of a kind we open."""
    if not index(folder).is_file():
        raise BackendError(f"{folder} has no {INDEX}; give a folder that diffusers' save_pretrained wrote.")
    files = [path for name in components(folder) for path in (folder / name).glob("*")]
    pickles = [path for path in files if path.suffix in PICKLES]
    if pickles and not allow_pickle and not any(path.suffix == ".safetensors" for path in files):
        raise BackendError(_pickle_refusal(pickles[0]))
    return folder


def index(folder: Path) -> Path:
    """The file that names a pipeline folder's class and components."""
    return next((folder / name for name in (INDEX, MODULAR_INDEX) if (folder / name).is_file()), folder / INDEX)


def _pickle_refusal(path: Path) -> str:
    return (
        f"{path} is a pickle, which can run any code when it is opened; convert it to .safetensors, "
        "or allow it with backend.options.allow_pickle=true."
    )


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from a model's folder; raises BackendError with the file's name where it is none."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BackendError(f"{path} cannot be read as JSON ({error}); copy the model again.") from None
    if not isinstance(value, dict):
        raise BackendError(f"{path} holds no JSON object; copy the model again.")
    return value


def components(folder: Path) -> tuple[str, ...]:
    """The component folders that the index names, without those that no pixel depends on."""
    names = [name for name, value in read_json(index(folder)).items() if isinstance(value, list) and all(value)]
    return tuple(sorted(name for name in names if name not in _UNUSED))


def model_files(path: Path, allow_pickle: bool = False) -> tuple[Path, ...]:
    """The files of a located model that can change a pixel: weights, configs, tokenizer and scheduler."""
    if path.is_file():
        return (path,)
    suffixes = _TEXTS | {".safetensors"} | (PICKLES if allow_pickle else frozenset())
    found = [file for name in components(path) for file in sorted((path / name).glob("*")) if file.suffix in suffixes]
    return (index(path), *found)


def model_digest(path: Path, config: Path | None = None, allow_pickle: bool = False, replaces: str = "") -> str:
    """SHA-256 (64 hex digits) over the names inside the model and bytes of its files; the path has no part in it.

    For a single file the texts of its `config` folder count too: they hold its scheduler and architecture. One that
    `replaces` a component has all else from that folder, so all its other weights count as well.
    """
    if config is not None:
        files = [file for file in model_files(config) if file.suffix in _TEXTS or _stays(file, replaces)]
        return digest([file_digest_once(path), [(_inside(file, config), _content(file)) for file in files]])
    files = list(model_files(path, allow_pickle))
    return digest([(_inside(file, path), _content(file)) for file in files])


def _stays(file: Path, replaces: str) -> bool:
    return bool(replaces) and file.parent.name != replaces


def _content(file: Path) -> str:
    """A file's digest; of a modular index only what each component is, since it also says where it was saved."""
    if file.name != MODULAR_INDEX:
        return file_digest_once(file)
    return digest({name: value[:2] for name, value in read_json(file).items() if isinstance(value, list)})


def _inside(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def file_digest_once(file: Path) -> str:
    """A file's digest, remembered while the file is untouched: a 6 GB checkpoint takes seconds to read."""
    status = file.stat()
    return _digest(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _digest(file: Path, modified_ns: int, size: int) -> str:
    return file_digest(file)


def check_whole(path: Path) -> None:
    """Raises BackendError for a pipeline folder that lacks a component of its model_index.json, or a model's weights.

    A download that was broken off leaves such a folder, in the hub's cache with links that lead nowhere.
    """
    for name in components(path) if path.is_dir() else ():
        files = [file for file in (path / name).glob("*") if file.is_file()]
        weighty = (path / name / "config.json") in files
        if not files or (weighty and not any(file.suffix in PICKLES | {".safetensors"} for file in files)):
            raise BackendError(f"{path} lacks its component '{name}'; copy or download the model again.")


def check_safetensors(path: Path) -> None:
    """Open every safetensors file of a located model (headers only); raises BackendError that names a damaged one."""
    for file in model_files(path):
        if file.suffix == ".safetensors":
            tensor_names(file)


def tensor_names(file: Path) -> tuple[str, ...]:
    """The names in a safetensors file; raises BackendError for one that is truncated or none at all."""
    try:
        with safe_open(file, framework="numpy") as tensors:
            return tuple(tensors.keys())
    except (SafetensorError, OSError) as error:
        raise BackendError(f"{file} is damaged or truncated ({error}); copy or download it again.") from None


def latent_size(folder: Path, backbone: str) -> tuple[int, int] | None:
    """Width and height in pixels that a pipeline folder was trained for: sample_size times the VAE's scale.

    None where its configs do not tell.
    """
    sample = read_json(folder / backbone / "config.json").get("sample_size")
    blocks = read_json(folder / "vae" / "config.json").get("block_out_channels")
    if not isinstance(sample, int | list) or not isinstance(blocks, list):
        return None
    height, width = sample if isinstance(sample, list) else (sample, sample)
    scale = 2 ** (len(blocks) - 1)
    return int(width) * scale, int(height) * scale

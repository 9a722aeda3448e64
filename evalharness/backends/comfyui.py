"""Images by a ComfyUI server, which runs the user's own workflow."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from PIL import Image

from evalharness.backends.base import Fact
from evalharness.backends.comfy.client import Client
from evalharness.backends.comfy.jobs import Jobs
from evalharness.backends.comfy.names import Names
from evalharness.backends.comfy.settings import read_settings
from evalharness.backends.comfy.workflow import LORA_NAME, Workflow, read_workflow
from evalharness.comfy_graph import Place
from evalharness.errors import BackendError, SubjectError
from evalharness.types import Cell, Failure, Subject

DEFAULT_SAMPLER = "default"


class ComfyMaker:
    """Sends each cell as a prompt of the workflow, its fields set where the option `nodes` says or the graph shows.

    `model` is a checkpoint's name as the server knows it, '' = the workflow's own. The server decides device and dtype.
    Up to `batch_size` prompts are queued at once; each makes one image.
    """

    def __init__(
        self,
        model: str = "",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._settings = read_settings(options or {})
        self._model = model
        self.batch_size = batch_size
        self._client = Client(self._settings.url, self._settings.waits)
        self._lora_names: dict[str, str] = {}
        self._asked: dict[str, object] = {}

    def fingerprint(self) -> Mapping[str, Fact]:
        """The workflow without what cells decide, the checkpoint's name, the server's device type and versions.

        Noise is the server's, so that its images are never compared with another maker's. The checkpoint's bytes are
        not known over HTTP. Raises BackendError for a server that does not answer, and for names it does not know.
        """
        return self._fingerprint

    def native_size(self) -> tuple[int, int]:
        """The width and height that the workflow itself has; raises BackendError where it has none."""
        width, height = self._workflow.own("width"), self._workflow.own("height")
        if not isinstance(width, int) or not isinstance(height, int):
            raise BackendError("the workflow has no width and height of its own; set the suite's size instead.")
        return width, height

    def prove(self, subject: Subject) -> None:
        """Refuse a subject whose files the server does not have, or has others of (SubjectError).

        ComfyUI only logs the keys that found no layer: that a LoRA is applied shows in its images, which must differ.
        """
        self.fingerprint()
        room = len(self._workflow.loras)
        if len(subject.loras) > room:
            raise SubjectError(
                f"'{subject.name}' has {len(subject.loras)} LoRA file(s) and the workflow {room} LoRA loader(s) for "
                "them; add a LoraLoader node for each, and name them in backend.options.loras."
            )
        for lora in subject.loras:
            if lora.digest not in self._lora_names:
                self._lora_names[lora.digest] = self._names.lora(lora, self._settings.lora_folder)

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        """One image per cell; raises BackendError, before anything is queued, for what the workflow cannot do."""
        self.prove(subject)
        values = [self._values(cell) for cell in cells]
        graphs = [
            self._workflow.filled(said, self._loras(subject, cell)) for cell, said in zip(cells, values, strict=True)
        ]
        return self._jobs.run(graphs)

    @cached_property
    def _workflow(self) -> Workflow:
        workflow = read_workflow(self._settings.workflow, self._settings.nodes, self._settings.loras)
        if self._model and "checkpoint" not in workflow.places:
            raise BackendError(
                f"backend.model is '{self._model}', and the workflow has no clear place for it; map "
                "backend.options.nodes.checkpoint, such as 4.ckpt_name."
            )
        return workflow

    @cached_property
    def _names(self) -> Names:
        return Names(self._client, self._workflow)

    @cached_property
    def _jobs(self) -> Jobs:
        return Jobs(self._client, self._workflow.save)

    @cached_property
    def _fingerprint(self) -> dict[str, Fact]:
        workflow = self._workflow
        checkpoint = self._model or workflow.own("checkpoint")
        stats = self._client.ready()
        self._names.check({"checkpoint": checkpoint} if checkpoint else {})
        system, device = _about(stats)
        return {
            "maker": "comfyui",
            "workflow": workflow.digest,
            "checkpoint": str(checkpoint or "the workflow's"),
            "comfyui": str(system.get("comfyui_version", "unknown")),
            "pytorch": str(system.get("pytorch_version", "unknown")),
            "device": str(device.get("type", "unknown")),
        }

    def _values(self, cell: Cell) -> dict[str, object]:
        """The fields' values for one cell."""
        setting = cell.setting
        values: dict[str, object] = {
            "prompt": cell.prompt.text,
            "negative": cell.prompt.negative,
            "seed": cell.seed,
            "steps": setting.steps,
            "cfg": setting.guidance_scale,
            "width": setting.width,
            "height": setting.height,
        }
        self._check_kept(values, cell)
        if self._model:
            values["checkpoint"] = self._model
        return values if setting.sampler == DEFAULT_SAMPLER else values | self._names.sampler(setting.sampler)

    def _check_kept(self, values: Mapping[str, object], cell: Cell) -> None:
        """Refuse what the workflow has no place for: a negative prompt, and two values of a field that it keeps."""
        if cell.prompt.negative and "negative" not in self._workflow.places:
            raise BackendError(
                f"prompt '{cell.prompt.id}' has a negative prompt, which the workflow has no clear place for; map "
                "backend.options.nodes.negative, or leave the negative out of the suite."
            )
        for name in self._workflow.kept & values.keys() - {"negative"}:
            first = self._asked.setdefault(name, values[name])
            if first != values[name]:
                raise BackendError(
                    f"the suite asks for {name} {first} and {values[name]}, and backend.options.nodes.{name} is null, "
                    "so that the workflow keeps its own; map it, or ask for one value."
                )

    def _loras(self, subject: Subject, cell: Cell) -> list[tuple[str, float]]:
        """Name and strength for each LoRA loader; those without a file, and all for the base, stand at strength 0."""
        names = [self._lora_names[lora.digest] for lora in subject.loras]
        idle = [(self._idle_name(key), 0.0) for key in self._workflow.loras[len(names) :]]
        return [(name, cell.strength) for name in names] + idle

    def _idle_name(self, key: str) -> str:
        """A name the server accepts for a loader at strength 0, where it applies nothing: its own, else any."""
        own = str(self._workflow.graph[key]["inputs"][LORA_NAME])
        known = self._names.choices(Place(key, LORA_NAME))
        return own if own in known or not known else known[0]


def _about(stats: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The system and the first device of /system_stats; raises BackendError for another server's answer."""
    if not isinstance(stats, Mapping) or not isinstance(stats.get("system"), Mapping):
        raise BackendError("the server's /system_stats is not what ComfyUI says; is backend.options.url right?")
    devices = stats.get("devices") or [{}]
    return stats["system"], devices[0]

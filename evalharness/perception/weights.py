"""The weights of our small networks: files that ship with us, pinned by their SHA-256."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from evalharness.errors import PerceptionError

if TYPE_CHECKING:
    from torch import nn

Net = TypeVar("Net", bound="nn.Module")


def with_weights(net: Net, file: Path, sha256: str, title: str = "network") -> Net:
    """The net with a file's weights, ready to look; raises PerceptionError where the file is not the one measured."""
    from safetensors.torch import load

    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PerceptionError(f"'{file.name}' is not the {title} that was measured; install the package again.")
    net.load_state_dict({name: value.float() for name, value in load(data).items()}, strict=False)
    net.eval()
    return net

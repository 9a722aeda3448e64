"""The faces of an image, by whichever finder is asked."""

from PIL import Image

from evalharness.environment import installed_version
from evalharness.perception import cascade, finder
from evalharness.perception.found_face import FoundFace
from evalharness.perception.more_faces import more_faces

__all__ = ["FINDERS", "FoundFace", "find_faces", "finder_name"]

FINDERS = ("net", "cascade")


def find_faces(image: Image.Image, who: str = "net") -> list[FoundFace]:
    """All faces of an RGB image, most likely first; raises PerceptionError where the finder cannot see."""
    if who == "net":
        return finder.find_faces(image)
    found = cascade.find_faces(image)
    return found + more_faces(image, found)


def finder_name(who: str) -> str:
    """A finder with what makes its answers: the network's digest, or the package's version."""
    return f"net {finder.SHA256[:12]}" if who == "net" else f"animeface {installed_version('animeface')}"

"""Z-Image: embeddings are lists of tensors without padding."""

from collections.abc import Sequence

from evalharness.backends.families.base import Embeddings, Family


class ZImage(Family):
    """Its guidance counts from 0: scale s draws what s + 1 draws elsewhere, and only 0 is without guidance."""

    def join(self, encoded: Sequence[Embeddings]) -> dict[str, object]:
        """One list over all prompts."""
        return {name: [tensor for one in encoded for tensor in one[name] or ()] for name in encoded[0]}


ZIMAGE = ZImage(
    name="zimage",
    pipeline="ZImagePipeline",
    size=(1024, 1024),
    transformer_file="ZImageTransformer2DModel",
    samplers=("euler", "euler_karras", "lcm"),
)

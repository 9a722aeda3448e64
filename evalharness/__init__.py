"""evalharness: an evaluation and regression harness for diffusion checkpoints and LoRAs of characters."""

__all__ = ["__version__"]

__version__ = "0.1.0"

"""evalharness: an evaluation and regression harness for diffusion checkpoints and LoRAs of characters."""

__version__ = "0.1.0"

"""The drawn world: a character whose truth is known, tiny real checkpoints trained on it, and how they were made."""

"""fetch_model.py ID: fetches of a hub's model what a run needs, into the cache in which a run looks for it.

A repository may hold the same weights several times: as one file, as pickles, in half precision.
"""

import sys

NEEDED = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")
DOUBLE = ("*.fp16.*", "*.bf16.*", "*.non_ema.*")


def main(model: str) -> None:
    """Fetch it; what is there already is not fetched again."""
    from huggingface_hub import snapshot_download

    snapshot_download(model, allow_patterns=list(NEEDED), ignore_patterns=list(DOUBLE))


if __name__ == "__main__":
    main(sys.argv[1])

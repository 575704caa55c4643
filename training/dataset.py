"""Reads the IDX files that fetch-data.mjs writes."""

from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parent / ".data"

LABELS = {
    "mnist": [str(digit) for digit in range(10)],
    "fashion-mnist": [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
}


def load(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """The uint8 images [n, 28, 28] and the labels [n] of `split`, "train" or "test"."""
    folder = DATA / name
    if not folder.is_dir():
        raise SystemExit("no data: run `node training/fetch-data.mjs` first")
    images = np.fromfile(folder / f"{split}-images.idx", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(folder / f"{split}-labels.idx", np.uint8)[8:].astype(np.int64)
    return images, labels

"""Writes examples/<set>/: test images as PNG files, their labels, and nothing chosen for success.

    python training/make_examples.py

The rule: the test images 0 to 19. Where the smoothed classifier of the shipped model is right on all of them, the first
later test image on which it is wrong or abstains is added, so that the examples show that side too.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import certify
import dataset
from train import ALPHA, N0, RECIPES, ROOT, SEED, Recipe

COUNT = 20
N = 10_000
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}


def examine(recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> list[tuple[int, str]]:
    """The chosen test indices, each with a note for its source line."""
    session = certify.open_session(ROOT / "models" / recipe.name / "model.onnx")
    chosen = [(index, "") for index in range(COUNT)]
    hard_among_chosen = False
    for index, image in enumerate(images.astype(np.float32)):
        if index >= COUNT and hard_among_chosen:
            break
        result = certify.certify(session, image, index, int(labels[index]), recipe.sigma, N0, N, ALPHA, SEED)
        predicted = "abstained" if result.predicted is None else dataset.LABELS[recipe.data][result.predicted]
        hard = result.predicted != result.label
        if index < COUNT or hard:
            name = dataset.LABELS[recipe.data][result.label]
            print(f"{recipe.data} {index:5d}  label {name}  predicted {predicted}  radius {result.radius:.4f}", flush=True)
        if hard and index >= COUNT:
            return [*chosen, (index, ", chosen because it is hard")]
        hard_among_chosen = hard_among_chosen or hard
    return chosen


def write(recipe: Recipe) -> None:
    images, labels = dataset.load(recipe.data, "test")
    folder = ROOT / "examples" / recipe.data
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    listing = []
    for index, note in examine(recipe, images, labels):
        file = f"{index:05d}.png"
        Image.fromarray(images[index]).save(folder / file, optimize=True)
        listing.append(
            {
                "file": file,
                "label": int(labels[index]),
                "source": f"{TITLES[recipe.data]} test set, image {index}{note}",
            }
        )
    lines = ",\n".join("  " + json.dumps(entry) for entry in listing)
    (folder / "labels.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main() -> None:
    for recipe in RECIPES.values():
        write(recipe)


if __name__ == "__main__":
    main()

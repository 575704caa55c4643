"""Evaluates an exported ONNX file the way the service uses it: hard votes under noise rounded to the 1/255 grid.

The estimate here is independent of the service's own code: NumPy's noise and SciPy's quantiles.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from scipy.stats import beta, norm

CLASSES = 10
BATCH = 100


def open_session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def classify(session: ort.InferenceSession, levels: np.ndarray) -> np.ndarray:
    """The class of each image of whole levels i, which the network gets as i/255; i may lie outside 0..255."""
    pixels = (levels.astype(np.float32) / np.float32(255)).reshape(-1, 1, 28, 28)
    rows = [session.run(None, {"image": pixels[i : i + BATCH]})[0] for i in range(0, len(pixels), BATCH)]
    return np.concatenate(rows).argmax(axis=1)


def noise(rng: np.random.Generator, count: int, sigma: float) -> np.ndarray:
    """`count` noise images in whole levels: round(255 * eps), eps ~ N(0, sigma^2)."""
    return np.rint(rng.standard_normal((count, 28, 28), dtype=np.float32) * np.float32(255 * sigma))


def lower_bound(successes: int, trials: int, alpha: float) -> float:
    """The one-sided (1 - alpha) Clopper-Pearson lower bound."""
    return 0.0 if successes == 0 else float(beta.ppf(alpha, successes, trials - successes + 1))


@dataclass(frozen=True)
class Certificate:
    index: int
    label: int
    predicted: int | None  # None: abstained
    radius: float


def certify(
    session: ort.InferenceSession,
    image: np.ndarray,
    index: int,
    label: int,
    sigma: float,
    n0: int,
    n: int,
    alpha: float,
    seed: int,
) -> Certificate:
    # One generator an image: a certificate does not depend on which other images are evaluated.
    rng = np.random.default_rng([seed, index])
    selection = classify(session, image + noise(rng, n0, sigma))
    top = int(np.bincount(selection, minlength=CLASSES).argmax())
    top_count = int((classify(session, image + noise(rng, n, sigma)) == top).sum())
    bound = lower_bound(top_count, n, alpha)
    if bound <= 0.5:
        return Certificate(index, label, None, 0.0)
    return Certificate(index, label, top, sigma * float(norm.ppf(bound)))


def certified_accuracy(certificates: list[Certificate], radius: float) -> float:
    hits = [c for c in certificates if c.predicted == c.label and c.radius >= radius]
    return len(hits) / len(certificates)


def radius_ceiling(sigma: float, n: int, alpha: float) -> float:
    return sigma * float(norm.ppf(alpha ** (1 / n)))


def milliseconds_an_image(session: ort.InferenceSession, batch: int = 64, seconds: float = 2.0) -> float:
    x = np.random.default_rng(0).standard_normal((batch, 1, 28, 28), dtype=np.float32)
    session.run(None, {"image": x})
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, {"image": x})
        best = min(best, time.perf_counter() - start)
    return 1000 * best / batch

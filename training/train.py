"""Trains the two shipped models with Gaussian noise augmentation and writes models/<name>/.

    python training/train.py [mnist-cnn | fashion-mnist-cnn | all]

Each batch gets fresh noise N(0, sigma^2), in units of the [0,1] image, as in Cohen et al. (2019), section 3.3.
The figures in the log come from the exported file, run by ONNX Runtime, never from the network in memory.
"""

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import certify
import dataset
from model_export import Graph, write_manifest

ROOT = Path(__file__).resolve().parent.parent
SEED = 20190208
INPUT = (1, 28, 28)
BATCH = 256
RADII = [0.0, 0.25, 0.5, 0.75, 1.0]
N0 = 100
ALPHA = 0.001


@dataclass(frozen=True)
class Recipe:
    name: str
    version: str
    data: str
    title: str
    sigma: float
    epochs: int
    shift: int  # pixels, in each direction
    flip: bool  # a mirrored shirt is a shirt; a mirrored 2 is no digit


RECIPES = {
    recipe.name: recipe
    for recipe in [
        Recipe("mnist-cnn", "1.0.0", "mnist", "MNIST digits", 0.5, epochs=24, shift=1, flip=False),
        Recipe("fashion-mnist-cnn", "1.0.0", "fashion-mnist", "Fashion-MNIST articles", 0.25, epochs=24, shift=0, flip=True),
    ]
}


class Net(nn.Module):
    """Three strided convolutions and two dense layers: 1.8 million multiplications an image, 0.76 MB of weights."""

    def __init__(self):
        super().__init__()
        widths = [(1, 32, 5), (32, 64, 3), (64, 64, 3)]
        self.convs = nn.ModuleList(nn.Conv2d(i, o, k, stride=2, padding=k // 2, bias=False) for i, o, k in widths)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in widths)
        self.hidden = nn.Linear(64 * 4 * 4, 128)
        self.out = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv, norm in zip(self.convs, self.norms):
            x = functional.relu(norm(conv(x)))
        return self.out(functional.relu(self.hidden(x.flatten(1))))

    def export(self, name: str, path: Path) -> None:
        graph = Graph(name, INPUT, 10)
        x = "image"
        for conv, norm in zip(self.convs, self.norms):
            x = graph.relu(graph.conv(x, conv, norm))
        x = graph.relu(graph.linear(graph.flatten(x), self.hidden))
        graph.save(graph.linear(x, self.out), path)


class Log:
    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("w", encoding="utf-8")

    def __call__(self, line: str) -> None:
        for stream in (sys.stdout, self.file):
            print(line, file=stream, flush=True)


def augment(padded: torch.Tensor, rows: torch.Tensor, recipe: Recipe, rng: torch.Generator) -> torch.Tensor:
    """A batch of float images [b, 1, 28, 28]: shifted, perhaps mirrored, then noisy."""
    count = len(rows)
    shift = torch.randint(0, 2 * recipe.shift + 1, (2, count, 1), generator=rng)
    y = torch.arange(28)[None, :] + shift[0]
    x = torch.arange(28)[None, :] + shift[1]
    if recipe.flip:
        mirrored = torch.rand((count, 1), generator=rng) < 0.5
        x = torch.where(mirrored, x.flip(1), x)
    images = padded[rows[:, None, None], y[:, :, None], x[:, None, :]].float() / 255
    return (images + recipe.sigma * torch.randn(images.shape, generator=rng)).unsqueeze(1)


def train(recipe: Recipe, epochs: int, log: Log) -> Net:
    torch.manual_seed(SEED)
    rng = torch.Generator().manual_seed(SEED)
    images, labels = dataset.load(recipe.data, "train")
    padded = functional.pad(torch.from_numpy(images), [recipe.shift] * 4)
    targets = torch.from_numpy(labels)
    net = Net()
    steps = math.ceil(len(targets) / BATCH) * epochs
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.1, total_steps=steps, pct_start=0.15)
    log(f"{sum(p.numel() for p in net.parameters()):,} parameters, {epochs} epochs of {len(targets):,} images")
    net.train()
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        total, hits = 0.0, 0
        for rows in torch.randperm(len(targets), generator=rng).split(BATCH):
            logits = net(augment(padded, rows, recipe, rng))
            loss = functional.cross_entropy(logits, targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
            hits += int((logits.argmax(1) == targets[rows]).sum())
        mean, accuracy = total / len(targets), hits / len(targets)
        seconds = time.perf_counter() - start
        log(f"epoch {epoch:2d}  loss {mean:.4f}  accuracy under noise (training) {accuracy:.4f}  {seconds:.0f} s")
    return net.eval()


def check_export(net: Net, model: Path, images: np.ndarray) -> float:
    """The largest difference between the logits of the file and of the network, over 256 images."""
    x = images[:256, None].astype(np.float32) / np.float32(255)
    with torch.no_grad():
        expected = net(torch.from_numpy(x)).numpy()
    actual = certify.open_session(model).run(None, {"image": x})[0]
    difference = float(np.abs(actual - expected).max())
    if difference > 1e-3:
        raise SystemExit(f"the exported file differs from the network: {difference}")
    return difference


def evaluate(recipe: Recipe, model: Path, n: int, log: Log) -> None:
    session = certify.open_session(model)
    images, labels = dataset.load(recipe.data, "test")
    levels = images.astype(np.float32)
    clean = float((certify.classify(session, levels) == labels).mean())
    noisy = levels + certify.noise(np.random.default_rng(SEED), len(levels), recipe.sigma)
    under_noise = float((certify.classify(session, noisy) == labels).mean())
    log(f"clean accuracy                 {clean:.4f}  (10,000 test images)")
    log(f"accuracy under noise           {under_noise:.4f}  (one noisy sample of each, on the 1/255 grid)")

    indices = range(0, len(levels), 20)
    certificates = [
        certify.certify(session, levels[i], i, int(labels[i]), recipe.sigma, N0, n, ALPHA, SEED) for i in indices
    ]
    abstained = sum(c.predicted is None for c in certificates)
    wrong = sum(c.predicted not in (None, c.label) for c in certificates)
    correct = [c.radius for c in certificates if c.predicted == c.label]
    log(f"certified, every 20th test image: {len(certificates)} images, sigma {recipe.sigma}, n0 {N0}, n {n:,}, alpha {ALPHA}")
    for radius in RADII:
        log(f"  certified accuracy at {radius:.2f}   {certify.certified_accuracy(certificates, radius):.3f}")
    log(f"  radius ceiling               {certify.radius_ceiling(recipe.sigma, n, ALPHA):.4f}")
    log(f"  average certified radius     {sum(correct) / len(certificates):.4f}")
    log(f"  abstained {abstained}, wrong {wrong}")
    log(f"inference, ONNX Runtime, one thread, batch 64: {certify.milliseconds_an_image(session):.4f} ms an image")


def build(recipe: Recipe, epochs: int, n: int) -> None:
    log = Log(ROOT / "training" / "logs" / f"{recipe.data}.txt")
    log(f"{recipe.name} {recipe.version}, sigma {recipe.sigma}, seed {SEED}, torch {torch.__version__}, one thread")
    net = train(recipe, epochs, log)
    model = ROOT / "models" / recipe.name / "model.onnx"
    net.export(recipe.name, model)
    description = (
        f"Small convolutional net for {recipe.title}, trained with Gaussian noise of sigma {recipe.sigma} "
        "on the [0,1] image; takes i/255 pixels without further normalisation."
    )
    write_manifest(
        model, recipe.name, recipe.version, description, INPUT, dataset.LABELS[recipe.data], recipe.sigma
    )
    difference = check_export(net, model, dataset.load(recipe.data, "test")[0])
    log(f"exported {model.stat().st_size:,} bytes; the file's logits differ from the network's by {difference:.1e} at most")
    evaluate(recipe, model, n, log)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="all", choices=[*RECIPES, "all"])
    parser.add_argument("--epochs", type=int, help="instead of the recipe's number")
    parser.add_argument("--n", type=int, default=10_000, help="estimation samples an image in the evaluation")
    arguments = parser.parse_args()
    # One thread: sums are then made in one order, so that a machine repeats its own result.
    torch.set_num_threads(1)
    for recipe in RECIPES.values() if arguments.name == "all" else [RECIPES[arguments.name]]:
        build(recipe, arguments.epochs or recipe.epochs, arguments.n)


if __name__ == "__main__":
    main()

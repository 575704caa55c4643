"""Writes a CIFAR ResNet-20 with random weights, for benchmarks of speed: its answers mean nothing.

    python training/export_resnet20.py bench/models/resnet20-random/model.onnx

The network is the one of He et al. (2016), section 4.2, with parameter-free shortcuts (option A) replaced by strided
1x1 convolutions (option B), as most published CIFAR checkpoints have. A manifest is written beside it.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn
from torch.nn import functional

from model_export import Graph, write_manifest

SEED = 20190208
NAME = "resnet20-random"
INPUT = (3, 32, 32)
CLASSES = 10
BLOCKS_A_STAGE = 3


class ConvNorm(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(x))

    def export(self, graph: Graph, x: str) -> str:
        return graph.conv(x, self.conv, self.norm)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride)
        self.second = ConvNorm(outputs, outputs, 3, 1)
        self.shortcut = ConvNorm(inputs, outputs, 1, stride) if stride != 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        through = self.second(functional.relu(self.first(x)))
        return functional.relu(through + (self.shortcut(x) if self.shortcut else x))

    def export(self, graph: Graph, x: str) -> str:
        through = self.second.export(graph, graph.relu(self.first.export(graph, x)))
        around = self.shortcut.export(graph, x) if self.shortcut else x
        return graph.relu(graph.add(through, around))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(INPUT[0], 16, 3, 1)
        blocks, width = [], 16
        for stage, outputs in enumerate([16, 32, 64]):
            for number in range(BLOCKS_A_STAGE):
                blocks.append(Block(width, outputs, 2 if stage > 0 and number == 0 else 1))
                width = outputs
        self.blocks = nn.ModuleList(blocks)
        self.out = nn.Linear(width, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return self.out(x.mean((2, 3)))

    def export(self, path: Path) -> None:
        graph = Graph(NAME, INPUT, CLASSES)
        x = graph.relu(self.stem.export(graph, "image"))
        for block in self.blocks:
            x = block.export(graph, x)
        x = graph.flatten(graph.global_average_pool(x))
        graph.save(graph.linear(x, self.out), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="where to write the ONNX file")
    output = parser.parse_args().output
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net = ResNet20()
    # Batches of noise set BatchNorm's running statistics, so that the activations have the scale of a trained net's.
    with torch.no_grad():
        for _ in range(20):
            net.train()(torch.rand(64, *INPUT) + 0.25 * torch.randn(64, *INPUT))
    net.eval()
    net.export(output)
    write_manifest(
        output,
        NAME,
        "1.0.0",
        "CIFAR ResNet-20 with random weights, for benchmarks of speed only: its answers mean nothing.",
        INPUT,
        [str(label) for label in range(CLASSES)],
        0.25,
    )
    x = torch.rand(8, *INPUT)
    with torch.no_grad():
        expected = net(x).numpy()
    actual = ort.InferenceSession(output, providers=["CPUExecutionProvider"]).run(None, {"image": x.numpy()})[0]
    difference = float(np.abs(actual - expected).max())
    if difference > 1e-3:
        raise SystemExit(f"the exported file differs from the network: {difference}")
    print(f"{output}: {output.stat().st_size:,} bytes, logits differ by {difference:.1e} at most")


if __name__ == "__main__":
    main()

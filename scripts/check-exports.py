#!/usr/bin/env python3
"""Does what docs/your-model.md says, block by block, with real networks: exports, `models add` and `certify`.

usage: python3 scripts/check-exports.py        after npm ci && npm run build && npm run tensorflow
  VENV=/path/one:/path/two   virtual environments that have the libraries; without it two are made in a temporary folder, of
                             some 3 GB from PyPI
  ONLY=Keras                 only the sections whose headings contain it
  SAMPLES=1000               in place of the page's --n
It prints a line a block, ok or failed with the end of its output, and ends with 1 where one failed. The networks are small
ones, trained under noise on the images of examples/mnist.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLI = ["node", str(ROOT / "dist/main/cli.js")]
# tensorflowjs holds TensorFlow at an older version than Keras wants, so the two do not stand in one environment.
ENVIRONMENTS = (
    (["torch", "onnx", "onnxscript", "onnxruntime", "skl2onnx", "tensorflow-cpu", "keras"],),
    (["tensorflowjs"], ["protobuf==6.31.1"]),
)

DATA = """
import json, numpy as np
x = np.fromfile("images.bin", "uint8").reshape(-1, 28, 28).astype("float32") / 255
y = np.array([each["label"] for each in json.load(open("my-images/labels.json"))])
x, y = np.repeat(x, 60, 0), np.repeat(y, 60)
x = x + np.random.default_rng(1).normal(0, 0.5, x.shape).astype("float32")
"""
KERAS = """
model = {keras}.Sequential([{keras}.layers.Input((28, 28, 1)), {keras}.layers.Conv2D(16, 5, 2, activation="relu"),
    {keras}.layers.Flatten(), {keras}.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x[..., None], y, epochs=5, verbose=0)
"""
# What stands before the block of a section: its heading's first word -> `model`, as the page takes it for given.
NETWORKS = {
    "PyTorch": DATA
    + """
import torch
model = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 5, 2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(2304, 10))
optimiser = torch.optim.Adam(model.parameters())
a, b = torch.tensor(x[:, None]), torch.tensor(y)
for step in range(200):
    some = torch.randint(len(b), (64,))
    optimiser.zero_grad()
    torch.nn.functional.cross_entropy(model(a[some]), b[some]).backward()
    optimiser.step()
""",
    "Keras 3": "import keras\n" + DATA + KERAS.format(keras="keras"),
    "Keras 2": "import tf_keras\n" + DATA + KERAS.format(keras="tf_keras"),
    "scikit-learn": DATA
    + "from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression(C=0.01).fit(x.reshape(len(x), -1), y)\n",
    "Quantised": DATA + "noisy_batches = [x[i : i + 60, None] for i in range(0, len(x), 60)]\n",
}


def blocks(page):
    """(heading, language, text) of each block of the page, in order."""
    heading, found, fence, lines = "", [], None, []
    for line in page.splitlines():
        if fence is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("```"):
            if fence is not None:
                found.append((heading, fence, "\n".join(lines)))
            fence, lines = (line[3:], []) if fence is None else (None, [])
        elif fence is not None:
            lines.append(line)
    return found


def run(command, folder):
    """Status and output of a command, both streams together."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def must(command, folder):
    status, output = run(command, folder)
    if status != 0:
        sys.exit(f"{shlex.join(command)} failed:\n{output[-3000:]}")


def environments(folder):
    given = os.environ.get("VENV")
    if given:
        return [Path(each) for each in given.split(":")]
    made = []
    for number, rounds in enumerate(ENVIRONMENTS):
        venv = folder / f"venv-{number}"
        must([sys.executable, "-m", "venv", str(venv)], folder)
        for packages in rounds:
            must([str(venv / "bin/pip"), "install", "--quiet", *packages], folder)
        made.append(venv)
    return made


def python_of(venvs, block):
    """The environment that has all modules of a block."""
    modules = set(re.findall(r"^(?:import|from) (\w+)", block, re.M))
    test = f"import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in {sorted(modules)!r}))"
    for venv in venvs:
        if run([str(venv / "bin/python"), "-c", test], ROOT)[0] == 0:
            return str(venv / "bin/python")
    raise RuntimeError(f"no environment has {', '.join(sorted(modules))}")


class Check:
    def __init__(self, work, venvs, certify):
        self.work, self.venvs, self.certify, self.failed = work, venvs, certify, 0

    def report(self, what, started, status, output):
        passed = status == 0
        self.failed += not passed
        print(f"{'ok    ' if passed else 'FAILED'} {time.time() - started:5.0f} s  {what}", flush=True)
        if not passed:
            print("        " + "\n        ".join(output.strip().splitlines()[-15:]), flush=True)
        return passed

    def python(self, heading, text):
        started = time.time()
        network = next((each for name, each in NETWORKS.items() if heading.startswith(name)), "")
        script = self.work / "block.py"
        script.write_text(f"{network}\n{text}\n")
        try:
            status, output = run([python_of(self.venvs, script.read_text()), script.name], self.work)
        except RuntimeError as error:
            status, output = 1, str(error)
        self.report(f"{heading}: {text.strip().splitlines()[-1].strip()[:70]}", started, status, output)

    def shell(self, line):
        started = time.time()
        words = shlex.split(line, comments=True)
        if words[:2] == ["npx", "smoothcert"]:
            command = CLI + words[2:]
            if "SAMPLES" in os.environ and "--n" in command:
                command[command.index("--n") + 1] = os.environ["SAMPLES"]
        else:
            # A program of a package, such as tensorflowjs_converter, of the environment that has it.
            command = [next((str(each / "bin" / words[0]) for each in self.venvs if (each / "bin" / words[0]).exists()), words[0])]
            command += words[1:]
        try:
            status, output = run(command, self.work)
        except OSError as error:
            status, output = 1, str(error)
        passed = self.report(line[:110], started, status, output)
        if passed and words[2:4] == ["models", "add"]:
            name = re.search(r"^(\S+) is in ", output, re.M).group(1)
            accuracy = re.findall(r"^(?:rows: |accuracy on|under noise|taken).*$", output, re.M)
            print("        " + "\n        ".join(accuracy), flush=True)
            if name != "mine":
                self.shell(self.certify.replace("--model mine", f"--model {name}"))


def main():
    page = blocks((ROOT / "docs/your-model.md").read_text())
    with tempfile.TemporaryDirectory(prefix="smoothcert-exports-") as temporary:
        work = Path(temporary) / "work"
        images = work / "my-images"
        images.mkdir(parents=True)
        listed = json.loads((ROOT / "examples/mnist/labels.json").read_text())
        for name in ["labels.json", *(each["file"] for each in listed)]:
            (images / name).write_bytes((ROOT / "examples/mnist" / name).read_bytes())
        decode = "const sharp=(await import('sharp')).default,{readFileSync:r,writeFileSync:w}=await import('node:fs');const [d,o]=process.argv.slice(1);w(o,Buffer.concat(await Promise.all(JSON.parse(r(d+'/labels.json','utf8')).map(({file})=>sharp(d+'/'+file).toColourspace('b-w').raw().toBuffer()))))"  # fmt: skip
        must(["node", "--input-type=module", "-e", decode, str(images), str(work / "images.bin")], ROOT)
        intro = [line for heading, kind, text in page if kind == "sh" and "--model mine" in text for line in text.splitlines()]
        check = Check(work, environments(Path(temporary)), next(line for line in intro if " certify " in line))
        # The page begins with the two lines that all of it is for; the file that they take is made further on.
        for heading, kind, text in [each for each in page if "--model mine" not in each[2]]:
            if os.environ.get("ONLY", "") not in heading:
                continue
            if kind == "python":
                check.python(heading, text)
            else:
                for line in text.splitlines():
                    check.shell(line)
        for line in intro if (work / "net.onnx").exists() else []:
            check.shell(line)
    print(f"{check.failed} failed" if check.failed else "all ok")
    sys.exit(1 if check.failed else 0)


main()

#!/usr/bin/env bash
# Fetches the libraries that an engine needs on NVIDIA GPUs, by digest, from the wheels that docker/cuda-*.txt names, and
# checks that everything they need is found. No GPU, driver or CUDA installation is needed to do so.
#
# usage: scripts/fetch-cuda.sh onnxruntime|tensorflow FOLDER
#
#   onnxruntime   NVIDIA's libraries of CUDA 13 into FOLDER, and ONNX Runtime's CUDA and TensorRT providers beside the
#                 library of the npm package, if both are of the same build
#   tensorflow    NVIDIA's libraries of CUDA 12 into FOLDER, for a binding made with WHEEL=tensorflow
#                 (scripts/build-tensorflow.sh)
#
# It prints the LD_LIBRARY_PATH that a worker then needs. It takes 64-bit Intel or AMD Linux, python3 with pip, and ldd.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "cuda: $*"; }
die() { echo "cuda: $*" >&2; exit 1; }

engine=${1:-} folder=${2:-}
[[ $engine =~ ^(onnxruntime|tensorflow)$ ]] && [ -n "$folder" ] && [ $# = 2 ] ||
  die "usage: scripts/fetch-cuda.sh onnxruntime|tensorflow FOLDER"
[ "$(uname -sm)" = 'Linux x86_64' ] || die "not for $(uname -sm): the libraries are for 64-bit Intel or AMD Linux"
for tool in python3 ldd; do command -v "$tool" >/dev/null || die "$tool is missing"; done
python3 -m pip --version >/dev/null 2>&1 || die 'pip for python3 is missing: on Debian apt-get install python3-pip'

# What is opened by name while a network runs, which no linker sees. TensorFlow refuses the GPU if one is missing.
case $engine in
  onnxruntime)
    package=node_modules/onnxruntime-node/bin/napi-v6/linux/x64
    [ -f "$package/libonnxruntime.so.1" ] || die "$package/libonnxruntime.so.1 is missing: run npm ci"
    opened=(libcudart.so.13 libcublas.so.13 libcublasLt.so.13 libcurand.so.10 libcudnn.so.9 libnvrtc.so.13)
    ;;
  tensorflow)
    package=
    opened=(libcudart.so.12 libcublas.so.12 libcublasLt.so.12 libcufft.so.11 libcusolver.so.11 libcusparse.so.12
      libcudnn.so.9 libnvrtc.so.12)
    ;;
esac

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say "fetching the wheels of docker/cuda-$engine.txt"
# Only C libraries are taken, so the version of the Python here does not matter.
python3 -m pip download --quiet --no-deps --no-cache-dir --require-hashes --only-binary=:all: --python-version 3.12 \
  --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
  --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_12_x86_64 \
  --dest "$work" --requirement "docker/cuda-$engine.txt" || die 'pip cannot fetch the wheels'

python3 - "$folder" "$package" "$work"/*.whl <<'PYTHON' || die 'the libraries cannot be taken from the wheels'
import os, re, shutil, sys, zipfile

folder, package, wheels = sys.argv[1], sys.argv[2], sys.argv[3:]
# Other ways to call the same libraries, solvers for several GPUs, and second copies.
UNUSED = re.compile(r'lib(nvblas|cufftw|cusolverMg)\.so|\.alt\.so')
COMMIT = re.compile(rb'git-commit-id=([0-9a-f]+)')

def extract(wheel, name, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with wheel.open(name) as source, open(target + '.part', 'wb') as to:
        shutil.copyfileobj(source, to, 1 << 24)
    os.replace(target + '.part', target)

for path in wheels:
    wheel = zipfile.ZipFile(path)
    names = wheel.namelist()
    provider = os.path.basename(path).startswith('onnxruntime_gpu-')
    if provider:
        # A provider is called by structures that only its own build of the library knows.
        core, = (name for name in names if '/libonnxruntime.so.' in name)
        theirs = COMMIT.search(wheel.read(core))
        with open(os.path.join(package, 'libonnxruntime.so.1'), 'rb') as library:
            ours = COMMIT.search(library.read())
        if not theirs or not ours or theirs[1] != ours[1]:
            sys.exit(f'{os.path.basename(path)} is not of the build that the npm package holds')
    for name in names:
        base = os.path.basename(name)
        if provider and base.startswith('libonnxruntime_providers_'):
            extract(wheel, name, os.path.join(package, base))
        elif re.search(r'/lib/[^/]+\.so[.0-9]*$', name) and not UNUSED.search(base):
            extract(wheel, name, os.path.join(folder, base))
        elif re.search(r'\.dist-info/(.*/)?(License|LICENSE)', name):
            extract(wheel, name, os.path.join(folder, 'licences', os.path.basename(path).split('-')[0] + '.txt'))
PYTHON

# ---- everything is found, but for what the driver brings and for TensorRT, which is optional ----------------------------
export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
libraries=("$folder"/*.so*)
[ -z "$package" ] || libraries+=("$package"/libonnxruntime_providers_{shared,cuda}.so)
missing=$(for library in "${libraries[@]}"; do
  ldd "$library" | awk -v of="$(basename "$library")" '/not found/ && $1 != "libcuda.so.1" { print $1 ", which " of " needs" }'
done)
[ -z "$missing" ] || die "not found: $missing"
for library in "${opened[@]}"; do
  python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$library" || die "$library cannot be opened"
done

say "$(du -shL "$folder" | cut -f1) in $folder; all of ${#libraries[@]} libraries find what they need"
say "a worker needs LD_LIBRARY_PATH=$folder"

#!/usr/bin/env bash
# Builds the native binding of @tensorflow/tfjs-node-gpu, which its npm package lacks: against the TensorFlow libraries
# of a wheel from PyPI, and puts both into node_modules. What was built once is kept in .tensorflow/ and linked from there.
#
# usage: npm run tensorflow        nothing is done where it is in place already
#   TF=2.21.0                      TensorFlow's version, from 2.8.0 on; the package is made for 2.9.1, and 2.9.1, 2.15.1, 2.18.1,
#                                  2.19.1, 2.20.0 and 2.21.0 were tried
#   WHEEL=tensorflow-cpu           or tensorflow, which has CUDA (NVIDIA's libraries are not in it); GPUs of the Hopper
#                                  generation need 2.16 or later
#   SHA256=...                     digest that the wheel must have, where it is not in the table below
#   CACHE=.tensorflow
# Needs Node 20 to 22 on 64-bit Intel or AMD Linux, python3 with pip (any version), and g++. On any other platform, and
# on a later Node, it says so and ends with 0: models in ONNX need none of this.
set -euo pipefail
cd "$(dirname "$0")/.."

TF=${TF:-2.21.0} WHEEL=${WHEEL:-tensorflow-cpu} CACHE=${CACHE:-.tensorflow}
RECIPE=2 # raised when what follows gives other files, so that older ones are built again
PACKAGE=node_modules/@tensorflow/tfjs-node-gpu

say() { echo "tensorflow: $*"; }
die() { echo "tensorflow: $*" >&2; exit 1; }
is() { [[ $1 =~ $2 ]]; }

# ---- can it be here at all -----------------------------------------------------------------------------------------
command -v node >/dev/null || die "node is not on the PATH"
node_version=$(node -p process.versions.node)
platform=$(node -p 'process.platform + "-" + process.arch')
if [ "${node_version%%.*}" -gt 22 ]; then
  say "not built: its binding runs on Node 20 to 22 and this is Node $node_version; models in ONNX work"
  exit 0
fi
if [ "$platform" != linux-x64 ]; then
  say "not built: wheels with its libraries are used on linux-x64 and this is $platform; models in ONNX work"
  exit 0
fi
is "$TF" '^[0-9]+\.[0-9]+\.[0-9]+$' || die "TF=$TF is not a version such as 2.21.0"
is "$WHEEL" '^tensorflow(-cpu)?$' || die "WHEEL=$WHEEL: tensorflow-cpu or tensorflow is expected"
[ -f "$PACKAGE/package.json" ] || die "$PACKAGE is missing: run npm ci (optional dependencies included)"

tfjs=$(node -p "require('./$PACKAGE/package.json').version")
key=$WHEEL-$TF-tfjs-$tfjs-$RECIPE
in_place() { [ "$(cat "$PACKAGE/lib/built" 2>/dev/null)" = "$key" ] && say "$WHEEL $TF is in place"; }
if in_place; then exit 0; fi

# One run at a time: the lock goes with the process, however that ends.
mkdir -p "$CACHE"
CACHE=$(realpath "$CACHE")
if command -v flock >/dev/null; then
  exec 9>"$CACHE/lock"
  flock 9
  if in_place; then exit 0; fi # another run has put it there meanwhile
fi

# ---- build, into a folder that gets its name when it is whole ------------------------------------------------------
sha256_of() { # digests of the wheels for the CPython of `build`, as PyPI had them
  case $1 in
    tensorflow-cpu-2.9.1) echo 6666ddeae45e1f41da788cb4bdea3435aba16edb0bc17b7ac00631c7c9eb052e ;;
    tensorflow-cpu-2.15.1) echo ba9503db2c5357ea21938555323581fbdabf3d051b6bc1b5f73c5b0ae034d077 ;;
    tensorflow-cpu-2.20.0) echo 1a3ef238410543ee884b64d222775727504407395785d3719a9ee8d016d1c583 ;;
    tensorflow-cpu-2.21.0) echo 2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c ;;
    tensorflow-2.16.2) echo 4ed24662a3625b2eaa89a02ea177aadad840d6eb91445091fe1f7ad5fa528db3 ;;
    tensorflow-2.20.0) echo 7abd7f3a010e0d354dc804182372779a722d474c4d8a3db8f4a3f5baef2a591e ;;
  esac
}

build() {
  local work=$1 missing=() tool libraries headers extra=() wheel digest expected needed free python=10 minor
  for tool in python3 g++ gcc nm; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  if command -v python3 >/dev/null && ! python3 -m pip --version >/dev/null 2>&1; then missing+=("pip for python3"); fi
  [ ${#missing[@]} -eq 0 ] || die "missing: ${missing[*]}. On Debian: apt-get install g++ python3 python3-pip"
  headers=node_modules/node-api-headers/include
  [ -f "$headers/node_api.h" ] || headers=$(dirname "$(dirname "$(realpath "$(command -v node)")")")/include/node
  [ -f "$headers/node_api.h" ] || die "node_api.h is missing: run npm ci with development dependencies"
  needed=1500 && [ "$WHEEL" = tensorflow-cpu ] || needed=4000
  free=$(df -Pm "$CACHE" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$needed" ] || die "$CACHE has $free MiB free; $needed MiB are needed"

  # Only C libraries are taken, so the version of the Python here does not matter: wheels for 3.10 exist of 2.8 to 2.20,
  # later ones for 3.11.
  minor=${TF#*.} && minor=${minor%%.*}
  [ "$minor" -le 20 ] || python=11
  say "fetching the wheel $WHEEL $TF"
  python3 -m pip download --quiet --no-deps --no-cache-dir --only-binary=:all: --python-version "3.$python" \
    --implementation cp --abi "cp3$python" --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --platform manylinux_2_27_x86_64 --dest "$work" "$WHEEL==$TF" || die "pip cannot fetch $WHEEL $TF"
  wheel=$(echo "$work"/*.whl)
  digest=$(sha256sum "$wheel" | cut -d' ' -f1)
  expected=${SHA256:-$(sha256_of "$WHEEL-$TF")}
  if [ -z "$expected" ]; then
    say "the digest of this wheel is not pinned here; it is $digest (SHA256=... demands one)"
  elif [ "$digest" != "$expected" ]; then
    die "$(basename "$wheel") has SHA-256 $digest; expected is $expected"
  fi

  libraries=$work/deps/lib
  mkdir -p "$libraries" "$work/lib/napi-v8"
  python3 - "$wheel" "$work/deps" <<'PYTHON' || die "$(basename "$wheel") does not have the files of TensorFlow"
import os, shutil, sys, zipfile

wheel, deps = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
names = set(wheel.namelist())
PARTS = ('absl/', 'tensorflow/c/', 'tensorflow/core/platform/', 'tensorflow/tsl/', 'tsl/', 'xla/tsl/')
CC = 'tensorflow/libtensorflow_cc.so.2'
libraries = ['tensorflow/libtensorflow_framework.so.2',
             CC if CC in names else 'tensorflow/python/_pywrap_tensorflow_internal.so']
wanted = {name: os.path.join('lib', os.path.basename(name)) for name in libraries}
for name in names:
    if name.endswith('.h') and name.startswith(tuple('tensorflow/include/' + part for part in PARTS)):
        wanted[name] = name[len('tensorflow/'):]
for name, path in wanted.items():
    path = os.path.join(deps, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wheel.open(name) as source, open(path, 'wb') as target:
        shutil.copyfileobj(source, target, 1 << 24)
PYTHON
  rm "$wheel"

  # The names that the linker looks for.
  ln -s libtensorflow_framework.so.2 "$libraries/libtensorflow_framework.so"
  if [ -f "$libraries/libtensorflow_cc.so.2" ]; then
    ln -s libtensorflow_cc.so.2 "$libraries/libtensorflow.so"
  else
    # Before 2.12 the C functions are in Python's extension. What it takes from Python is never called from here:
    # empty symbols stand in for it.
    ln -s _pywrap_tensorflow_internal.so "$libraries/libtensorflow.so"
    nm -D --undefined-only "$libraries/_pywrap_tensorflow_internal.so" | awk '{ print $NF }' | grep -E '^_?Py' | sort -u |
      sed 's/.*/char &[512] __attribute__((visibility("default")));/' >"$work/python-symbols.c"
    gcc -shared -fPIC -o "$libraries/libpython-symbols.so" "$work/python-symbols.c"
    extra=(-Wl,--no-as-needed -lpython-symbols)
  fi

  # From 2.18 on TensorFlow logs by Abseil, which does not read TF_CPP_MIN_LOG_LEVEL. From 2.20 on the loader finds this
  # function before the library's own; it holds for what is logged while the library loads, too.
  cat >"$work/log-level.cc" <<'CPP'
#if __has_include("absl/log/globals.h")
#include <cstdlib>
#include "absl/log/globals.h"
namespace absl {
ABSL_NAMESPACE_BEGIN
__attribute__((visibility("default"))) LogSeverityAtLeast MinLogLevel() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  return static_cast<LogSeverityAtLeast>(level == nullptr ? 0 : std::atoi(level));
}
ABSL_NAMESPACE_END
}  // namespace absl
#endif
CPP

  say "compiling the binding"
  # shellcheck disable=SC2016 # $ORIGIN is the loader's
  g++ -O2 -std=c++17 -fPIC -shared -w -DNAPI_VERSION=8 -DBUILDING_NODE_EXTENSION -I"$PACKAGE" -I"$work/deps/include" \
    -I"$headers" "$PACKAGE/binding/tfjs_backend.cc" "$PACKAGE/binding/tfjs_binding.cc" "$work/log-level.cc" \
    -o "$work/lib/napi-v8/tfjs_binding.node" -L"$libraries" '-Wl,-rpath,$ORIGIN/../../deps/lib' "${extra[@]}" \
    -ltensorflow -ltensorflow_framework -Wl,-rpath-link,"$libraries" || die "the binding does not compile"
  rm -rf "$work/deps/include" "$work/python-symbols.c" "$work/log-level.cc"
  echo "$key" >"$work/lib/built"
}

built=$CACHE/$key
if [ ! -d "$built" ]; then
  # Under the lock, whatever has no name yet was left by a run that was stopped.
  rm -rf "$CACHE"/unfinished.*
  work=$(mktemp -d "$CACHE/unfinished.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  build "$work"
  chmod 755 "$work"
  mv -T "$work" "$built"
  trap - EXIT
fi

# ---- put it into the package: the binding last, for that is what is looked for -------------------------------------
rm -rf "$PACKAGE/lib" "$PACKAGE/deps" "$PACKAGE"/unfinished.*
staged=$(mktemp -d "$PACKAGE/unfinished.XXXXXX")
# Hard links take no room and stay whole without the cache; on another file system they are copies.
cp -al "$built/." "$staged" 2>/dev/null || { rm -rf "$staged" && mkdir "$staged" && cp -a "$built/." "$staged"; }
mv -T "$staged/deps" "$PACKAGE/deps"

# ---- proof ---------------------------------------------------------------------------------------------------------
mkdir "$PACKAGE/lib"
mv -T "$staged/lib/napi-v8" "$PACKAGE/lib/napi-v8"
TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL:-2} node -e '
  const tf = require("@tensorflow/tfjs-node-gpu");
  const backend = tf.backend();
  const square = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const product = Array.from(tf.matMul(square, square).dataSync()).join();
  if (tf.getBackend() !== "tensorflow" || product !== "7,10,15,22") throw new Error(`${tf.getBackend()}: ${product}`);
  const device = backend.isUsingGpuDevice ? "GPU" : "CPU";
  console.log(`tensorflow: TensorFlow ${backend.binding.TF_Version}, tfjs ${tf.version.tfjs}, works on the ${device}`);
' || { rm -rf "$PACKAGE/lib" "$PACKAGE/deps" "$built"; die "the binding was built and does not work"; }
mv "$staged/lib/built" "$PACKAGE/lib/built"
rm -rf "$staged"

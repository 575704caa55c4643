#!/usr/bin/env bash
# Generates a TypeScript and a Python client from openapi/openapi.json, without a warning, and uses them: the one is type-checked
# against test/clients/usage.ts, the other certifies an image of a running service (test/clients/usage.py).
# Needs the build (npm run build), python3 with pip, and the package registries for two generators of fixed versions, which are
# kept in node_modules/.cache.
set -euo pipefail
cd "$(dirname "$0")/.."

TYPESCRIPT_GENERATOR=openapi-typescript@7.13.0
# The generator builds its output with the compiler's API, which the project's own compiler does not have.
COMPILER=typescript@5.9.3
PYTHON_GENERATOR=openapi-python-client==0.29.1
DOCUMENT=openapi/openapi.json

work=$(mktemp -d)
service=
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# ---- TypeScript ----------------------------------------------------------------------------------------------------
mkdir -p "$work/generated"
cp test/clients/usage.ts "$work/usage.ts"
npm exec --yes --package=$TYPESCRIPT_GENERATOR --package=$COMPILER -- \
  openapi-typescript $DOCUMENT --output "$work/generated/smoothcert.d.ts" >"$work/typescript.log" 2>&1 ||
  { cat "$work/typescript.log"; exit 1; }
npx tsc --ignoreConfig --noEmit --strict --exactOptionalPropertyTypes --module nodenext --types '' "$work/usage.ts"
echo "the generated TypeScript client type-checks"

# ---- Python --------------------------------------------------------------------------------------------------------
packages=$PWD/node_modules/.cache/openapi-clients/$PYTHON_GENERATOR
if [ ! -e "$packages/.complete" ]; then
  rm -rf "$packages"
  python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action ignore --target "$packages" $PYTHON_GENERATOR
  touch "$packages/.complete"
fi
export PYTHONPATH=$packages:$work
python3 -m openapi_python_client generate --path $DOCUMENT --config openapi/python-client.yml --meta none --fail-on-warning \
  --output-path "$work/smoothcert_client"

# ---- used on a service with one of the shipped models --------------------------------------------------------------
mkdir "$work/models"
ln -s "$PWD/models/mnist-cnn" "$work/models/mnist-cnn"
SMOOTHCERT_PORT=0 SMOOTHCERT_MODELS_DIR=$work/models SMOOTHCERT_DATA_DIR=$work/data SMOOTHCERT_DEVICES=cpu \
  node dist/main/cli.js serve >"$work/service.log" 2>&1 &
service=$!
url=
for _ in $(seq 600); do
  url=$(sed -n 's/.*"url":"\(http[^"]*\)".*/\1/p' "$work/service.log" | head -n 1)
  [ -z "$url" ] || break
  kill -0 "$service" 2>/dev/null || break
  sleep 0.2
done
[ -n "$url" ] || { cat "$work/service.log"; exit 1; }
python3 test/clients/usage.py "$url" examples/mnist/00000.png

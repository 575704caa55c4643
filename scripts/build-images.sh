#!/usr/bin/env bash
# Builds the images `api` and `worker-cpu`, runs them, and certifies examples over HTTP.
#
# usage: scripts/build-images.sh [--gpu] [--work DIR]
#
#   --gpu        build the images for NVIDIA GPUs too (3.5 GB of wheels are fetched), and see that their libraries load and
#                that their workers refuse to start, for they are given no GPU
#   --work DIR   keep the images' storage in DIR, and use what is there; without it nothing is left behind
#
# With a Docker engine: `docker build`, then docker-compose.yml as a project of its own. Its images stay.
#
# Without one, as root on Debian (apt-get install buildah mmdebstrap): buildah builds the same Dockerfile. Where the base
# image cannot be pulled, a stand-in is made of Debian's packages and Node's binary from npm. The images then run in
# namespaces of their own, with their user, entry point, environment and health check, on a read-only root without
# capabilities. The network namespace has nothing but loopback, so nothing outside can reach them.
#
# What npm needs here to reach its registry (~/.npmrc, certificates) goes into the build as secrets, and into no image.
set -euo pipefail

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# ---- a client, used for both ways of running ---------------------------------------------------------------------------

# certify URL MODEL IMAGE: submits the image and prints its result
certify() {
  local url=$1 model=$2 image=$3 sigma job status=
  sigma=$(sed -n 's/.*"trainedSigma": \([0-9.]*\).*/\1/p' "models/$model/manifest.json")
  job=$(curl -fsS -o /dev/null -D - \
    -F "request={\"model\":\"$model\",\"parameters\":{\"sigma\":${sigma:-0.5},\"n\":10000}}" \
    -F "image=@$image" "$url/v1/certifications" |
    sed -n 's/^location: *\([^[:space:]]*\).*/\1/Ip')
  [ -n "$job" ] || fail 'the API answered without a Location'
  for _ in $(seq 120); do
    status=$(curl -fsS "$url$job" | sed -n 's/.*"status":"\([a-z_]*\)".*/\1/p')
    case $status in queued | running) sleep 0.5 ;; *) break ;; esac
  done
  [ "$status" = succeeded ] || fail "the job is ${status:-without a status}, not succeeded: $(curl -sS "$url$job")"
  local results
  results=$(curl -fsS "$url$job/results")
  grep -q '"certifiedRadius":' <<<"$results" || fail "no certified radius in $results"
  printf '%s\n' "$results"
}

# example_of MODEL: the first of the example images that are of its data
example_of() {
  local folder
  for folder in examples/*/; do
    case $1 in "$(basename "$folder")"-*) find "$folder" -name '*.png' | sort | head -1 ;; esac
  done
}

# certify_all URL: an example of each model that is shipped; TensorFlow's library is only made for x86-64
certify_all() {
  local manifest model
  for manifest in models/*/manifest.json; do
    model=$(basename "$(dirname "$manifest")")
    if grep -q '"engine": "tensorflow"' "$manifest" && [ "$(uname -m)" != x86_64 ]; then continue; fi
    say "a certification over HTTP: $model"
    certify "$1" "$model" "$(example_of "$model")"
  done
}

# What runs in the images' containers: the libraries load, and stop at the driver, not before.
TENSORFLOW_WORKS='
  const tf = require("@tensorflow/tfjs-node-gpu");
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const product = Array.from(tf.matMul(a, a).dataSync()).join();
  if (tf.getBackend() !== "tensorflow" || product !== "7,10,15,22") throw new Error(`${tf.getBackend()}: ${product}`);
  console.log(`TensorFlow ${tf.backend().binding.TF_Version} computes`);'
CUDA_REACHES_DRIVER='
  const ort = require("onnxruntime-node");
  ort.InferenceSession.create("models/mnist-cnn/model.onnx", { executionProviders: ["cuda"] }).then(
    () => console.log("a session was opened"), (error) => console.log(error.message));'
REFUSAL='cuda asks for NVIDIA GPUs, and none'

# ---- the images in namespaces ------------------------------------------------------------------------------------------

# Everything from here to `pod` runs inside the namespaces; the kernel ends all of it with the first process.

# in_image NAME: the arguments that run a command as the image says, on a root that `enter` has prepared
in_image() {
  local name=$1
  prefix=(chroot "$WORK/root-$name" env -i -C "$(cat "$WORK/$name.directory")")
  while IFS= read -r line; do [ -z "$line" ] || prefix+=("$line"); done <"$WORK/$name.environment"
  prefix+=(REDIS_URL=redis://127.0.0.1:6379)
  local user
  user=$(cat "$WORK/$name.user")
  prefix+=(setpriv --reuid "${user%:*}" --regid "${user#*:}" --clear-groups
    --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs --)
}

# enter NAME [COMMAND...]: becomes the container's first process, which is the image's own or COMMAND
enter() {
  local name=$1 root=$WORK/root-$1 device
  hostname "$name"
  mount --bind "$(cat "$WORK/$name.root")" "$root"
  mount -o remount,bind,ro,nodev,nosuid "$root"
  mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
  mount -t tmpfs -o nosuid,nodev,noexec,size=64m tmpfs "$root/tmp"
  # An engine mounts the image's volume there.
  if [ -d "$root/var/cache/smoothcert" ]; then
    mount -t tmpfs -o nosuid,nodev,noexec,size=64m,uid=1000,gid=1000,mode=700 tmpfs "$root/var/cache/smoothcert"
  fi
  mount -t tmpfs -o nosuid,noexec,size=64k,mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  if [ $# -gt 1 ]; then command=("${@:2}"); else mapfile -t command <"$WORK/$name.command"; fi
  in_image "$name"
  exec "${prefix[@]}" "${command[@]}"
}

# start NAME: runs the image and sets pid_NAME to its first process as seen from here
start() {
  local name=$1 outer inner=
  mkdir -p "$WORK/root-$name"
  unshare --mount --pid --fork --kill-child --uts --ipc bash "$SCRIPT" --enter "$name" >"$WORK/$name.log" 2>&1 &
  outer=$!
  for _ in $(seq 50); do
    inner=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null || true)
    [ -z "$inner" ] || break
    sleep 0.1
  done
  printf '%s %s\n' "$outer" "${inner%% *}" >"$WORK/$name.pid"
}

# once NAME [COMMAND...]: runs the image, or COMMAND in it, until it ends; its output is in NAME.log
once() {
  mkdir -p "$WORK/root-$1"
  timeout 120 unshare --mount --pid --fork --kill-child --uts --ipc bash "$SCRIPT" --enter "$@" >"$WORK/$1.log" 2>&1
}

# refuses NAME: without a GPU the image's worker ends at once, and says why
refuses() {
  local status=0
  once "$1" || status=$?
  [ "$status" != 0 ] || fail "$1 ended with 0 without a GPU"
  grep -qF "$REFUSAL" "$WORK/$1.log" || fail "$1 does not say why it ends: $(tail -5 "$WORK/$1.log")"
  echo "$1: ends with $status, $(grep -F -m1 "$REFUSAL" "$WORK/$1.log" | cut -c1-200)"
}

# healthy NAME: runs the image's own health check in its container until it passes
healthy() {
  local name=$1 outer inner
  read -r outer inner <"$WORK/$name.pid"
  mapfile -t check <"$WORK/$name.health"
  in_image "$name"
  for _ in $(seq 60); do
    kill -0 "$outer" 2>/dev/null || fail "$name has ended: $(tail -5 "$WORK/$name.log")"
    if nsenter --target "$inner" --mount --pid --uts --ipc "${prefix[@]}" "${check[@]}" >"$WORK/$name.checked" 2>&1; then
      echo "$name: healthy ($(tr '\n' ' ' <"$WORK/$name.checked"))"
      return
    fi
    sleep 0.5
  done
  fail "$name is not healthy: $(cat "$WORK/$name.checked"; tail -5 "$WORK/$name.log")"
}

# confined NAME: not root, no capabilities, no new privileges, nothing writable but /tmp
confined() {
  local name=$1 outer inner
  read -r outer inner <"$WORK/$name.pid"
  grep -qE '^Uid:\s+1000\s+1000\s+1000\s+1000' "/proc/$inner/status" || fail "$name runs as another user"
  grep -qE '^CapEff:\s+0+$' "/proc/$inner/status" || fail "$name has capabilities"
  grep -qE '^CapBnd:\s+0+$' "/proc/$inner/status" || fail "$name could get capabilities"
  grep -qE '^NoNewPrivs:\s+1$' "/proc/$inner/status" || fail "$name could get privileges"
  in_image "$name"
  nsenter --target "$inner" --mount --pid --uts --ipc "${prefix[@]}" sh -c \
    'touch /tmp/writable && ! touch /app/refused /var/tmp/refused 2>/dev/null' || fail "$name can write outside /tmp"
  echo "$name: user 1000, no capabilities, read-only but for /tmp"
}

# stop NAME: SIGTERM, as an engine does
stop() {
  local name=$1 outer inner status=0 begin=$SECONDS
  read -r outer inner <"$WORK/$name.pid"
  kill -TERM "$inner"
  wait "$outer" || status=$?
  [ "$status" = 0 ] || fail "$name ended with $status after SIGTERM: $(tail -5 "$WORK/$name.log")"
  echo "$name: ended with 0 within $((SECONDS - begin + 1)) s of SIGTERM"
}

redis_says() {
  local answer
  exec 3<>/dev/tcp/127.0.0.1/6379
  printf '%s\r\nQUIT\r\n' "$1" >&3
  answer=$(tr -d '\r' <&3)
  exec 3>&-
  grep -qx -- "$2" <<<"$answer" || fail "Redis: '$1' answered without '$2': $answer"
}

pod() {
  ip link set lo up
  say 'Redis with docker/redis.conf'
  mkdir -p "$WORK/redis-data"
  "$REDIS_SERVER" docker/redis.conf --dir "$WORK/redis-data" >"$WORK/redis.log" 2>&1 &
  local redis=$!
  for _ in $(seq 100); do
    (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null && break
    kill -0 "$redis" 2>/dev/null || fail "Redis has ended: $(tail -5 "$WORK/redis.log")"
    sleep 0.1
  done
  redis_says 'CONFIG GET appendonly' yes
  redis_says 'CONFIG GET appendfsync' always
  redis_says 'CONFIG GET maxmemory-policy' noeviction
  echo 'appendonly yes, appendfsync always, maxmemory-policy noeviction'

  say 'API and worker from their images'
  start api
  start worker-cpu
  healthy api
  healthy worker-cpu
  confined api
  confined worker-cpu

  curl -fsS http://127.0.0.1:8080/health/ready
  echo
  certify_all http://127.0.0.1:8080

  say 'stopping'
  stop worker-cpu
  stop api
  kill -TERM "$redis"
  wait "$redis" || fail "Redis ended badly: $(tail -5 "$WORK/redis.log")"

  if [ "$(uname -m)" = x86_64 ]; then
    say 'libraries in the images'
    loads worker-cpu "$TENSORFLOW_WORKS" 'TensorFlow .* computes'
  fi
  if $gpu; then
    loads worker-tensorflow-gpu "$TENSORFLOW_WORKS" 'TensorFlow .* computes'
    # Each library of CUDA was found, or its name would be here; libcuda is the driver's.
    loads worker-onnx-cuda "$CUDA_REACHES_DRIVER" 'error: libcuda\.so\.1: cannot open shared object file'
    say 'workers for GPUs without one'
    refuses worker-onnx-cuda
    refuses worker-tensorflow-gpu
  fi
}

# loads NAME SCRIPT PATTERN: the image's Node runs SCRIPT, and prints PATTERN
loads() {
  once "$1" node -e "$2" || fail "$1: $(tail -5 "$WORK/$1.log")"
  grep -qE "$3" "$WORK/$1.log" || fail "$1 prints no '$3': $(tail -5 "$WORK/$1.log")"
  echo "$1: $(grep -oE -m1 "$3" "$WORK/$1.log")"
}

if [ "${1:-}" = --enter ]; then
  enter "${@:2}"
elif [ "${1:-}" = --pod ]; then
  # The first process of a namespace must not end before its children are told why.
  pod
  exit 0
fi

# ---- arguments -----------------------------------------------------------------------------------------------------------

cd "$(dirname "$0")/.."
SCRIPT=$PWD/scripts/$(basename "$0")
keep=false
gpu=false
WORK=
while [ $# -gt 0 ]; do
  case $1 in
    --gpu) gpu=true ;;
    --work) WORK=${2:?--work needs a folder} keep=true && shift ;;
    *) fail "unknown argument $1; usage: scripts/build-images.sh [--gpu] [--work DIR]" ;;
  esac
  shift
done
targets=(api worker-cpu)
if $gpu; then targets+=(worker-onnx-cuda worker-tensorflow-gpu); fi
command -v curl >/dev/null || fail 'curl is needed'
if $keep; then
  mkdir -p "$WORK"
  WORK=$(cd "$WORK" && pwd)
else
  WORK=$(mktemp -d /tmp/smoothcert-images.XXXXXX)
fi
export WORK SCRIPT gpu
chmod 700 "$WORK"

engine=buildah
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then engine=docker; fi

buildah_() { buildah --root "$WORK/storage" --runroot "$WORK/run" --storage-driver "$driver" "$@"; }
driver=
project=
cleanup() {
  local status=$?
  trap - EXIT
  set +e
  rm -rf "$WORK/secrets"
  if [ -n "$project" ]; then docker compose --project-name "$project" --profile cpu down --volumes --timeout 20; fi
  if [ -n "$driver" ]; then
    buildah_ umount --all >/dev/null 2>&1
    buildah_ rm --all >/dev/null 2>&1
  fi
  if ! $keep; then
    rm -rf "$WORK"
    [ ! -e "$WORK" ] || echo "could not remove $WORK" >&2
  fi
  [ "$status" = 0 ] || echo "build-images.sh failed" >&2
  exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
build_arguments=(
  --build-arg "VERSION=$version"
  --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)"
  --build-arg "CREATED=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
)

# ---- secrets of the build ------------------------------------------------------------------------------------------------

mkdir -p "$WORK/secrets"
chmod 700 "$WORK/secrets"
: >"$WORK/secrets/npmrc"
: >"$WORK/secrets/certificates"
# A path to certificates means nothing inside the build; what it leads to is passed by itself.
if [ -e "$HOME/.npmrc" ]; then grep -vE '^ *cafile *=' "$HOME/.npmrc" >"$WORK/secrets/npmrc" || true; fi
if command -v npm >/dev/null; then
  cafile=$(npm config get cafile 2>/dev/null || true)
  if [ -e "$cafile" ]; then cat "$cafile" >>"$WORK/secrets/certificates"; fi
  printf 'registry=%s\n' "$(npm config get registry 2>/dev/null)" >>"$WORK/secrets/npmrc"
fi
if [ -e "${NODE_EXTRA_CA_CERTS:-}" ]; then cat "$NODE_EXTRA_CA_CERTS" >>"$WORK/secrets/certificates"; fi
: >"$WORK/secrets/pip"
if index=$(python3 -m pip config get global.index-url 2>/dev/null); then
  printf '[global]\nindex-url = %s\n' "$index" >"$WORK/secrets/pip"
fi
build_arguments+=(
  --secret "id=npmrc,src=$WORK/secrets/npmrc"
  --secret "id=pip,src=$WORK/secrets/pip"
  --secret "id=certificates,src=$WORK/secrets/certificates"
)

# ---- with Docker -----------------------------------------------------------------------------------------------------------

if [ "$engine" = docker ]; then
  docker compose version >/dev/null 2>&1 || fail 'docker compose is needed'
  for target in "${targets[@]}"; do
    say "docker build: $target"
    docker build --target "$target" --tag "smoothcert-$target:latest" --tag "smoothcert-$target:$version" \
      "${build_arguments[@]}" .
  done
  say 'docker compose --profile cpu up'
  project=smoothcert-check-$$
  export TAG=$version API_PORT=${API_PORT:-18080}
  docker compose --project-name "$project" --profile cpu up --detach --wait --no-build
  certify_all "http://127.0.0.1:$API_PORT"
  if $gpu; then
    say 'workers for GPUs without one'
    for target in worker-onnx-cuda worker-tensorflow-gpu; do
      if output=$(docker run --rm --runtime runc --env REDIS_URL=redis://nowhere "smoothcert-$target:$version" 2>&1); then
        fail "$target ended with 0 without a GPU"
      fi
      grep -F -m1 "$REFUSAL" <<<"$output" || fail "$target does not say why it ends: $output"
    done
  fi
  say 'sizes'
  docker image ls --filter 'reference=smoothcert-*'
  exit 0
fi

# ---- with buildah ----------------------------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || fail 'no Docker engine answers; without one this script must be root'
for tool in buildah unshare nsenter setpriv ip; do
  command -v "$tool" >/dev/null || fail "no Docker engine answers, and $tool is missing: apt-get install buildah mmdebstrap"
done
REDIS_SERVER=$(ls -d "$PWD"/.redis/server-*/redis-server 2>/dev/null | tail -1 || true)
[ -n "$REDIS_SERVER" ] || REDIS_SERVER=$(command -v redis-server || true)
[ -n "$REDIS_SERVER" ] || fail 'no redis-server: `npx smoothcert serve` fetches one, or apt-get install redis-server'
export REDIS_SERVER

# Overlays are quick and small; where the file system has none, whole copies do.
mkdir -p "$WORK/probe"
if probe=$(buildah --root "$WORK/probe/s" --runroot "$WORK/probe/r" --storage-driver overlay from scratch 2>/dev/null) &&
  buildah --root "$WORK/probe/s" --runroot "$WORK/probe/r" --storage-driver overlay mount "$probe" >/dev/null 2>&1; then
  buildah --root "$WORK/probe/s" --runroot "$WORK/probe/r" --storage-driver overlay rm --all >/dev/null
  driver=overlay
else
  driver=vfs
fi
umount "$WORK/probe/s/overlay" 2>/dev/null || true
rm -rf "$WORK/probe"

base=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
node_version=${base#node:}
node_version=${node_version%%-*}

# stand_in: an image of the base's name, of Debian bookworm's packages and Node's binary and npm from the npm registry
stand_in() {
  command -v mmdebstrap >/dev/null || fail "$base cannot be pulled, and mmdebstrap is missing: apt-get install mmdebstrap"
  command -v npm >/dev/null || fail "$base cannot be pulled, and npm is missing"
  local folder=$WORK/stand-in container arch
  arch=$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
  rm -rf "$folder"
  mkdir -p "$folder/node"
  echo '{"private":true}' >"$folder/node/package.json"
  npm install --silent --ignore-scripts --prefix "$folder/node" "node-linux-$arch@$node_version" npm@10
  mmdebstrap --quiet --variant=minbase --include=libstdc++6,libatomic1 bookworm "$folder/root.tar" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*'
  container=$(buildah_ from scratch)
  buildah_ add --quiet "$container" "$folder/root.tar" / >/dev/null
  buildah_ copy --quiet "$container" "$folder/node/node_modules/node-linux-$arch/bin/node" /usr/local/bin/node >/dev/null
  buildah_ copy --quiet "$container" "$folder/node/node_modules/npm" /usr/local/lib/node_modules/npm >/dev/null
  buildah_ run --isolation chroot "$container" -- sh -c '
    chmod 755 /usr/local/bin/node
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
    ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
    groupadd --gid 1000 node
    useradd --uid 1000 --gid node --shell /bin/bash --create-home node'
  buildah_ config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env "NODE_VERSION=$node_version" --cmd '["node"]' "$container"
  buildah_ commit --quiet --rm "$container" "docker.io/library/$base" >/dev/null
  rm -rf "$folder"
}

say "base image $base (storage: $driver)"
if ! buildah_ inspect --type image "docker.io/library/$base" >/dev/null 2>&1 &&
  ! timeout 120 buildah --root "$WORK/storage" --runroot "$WORK/run" --storage-driver "$driver" pull --quiet \
    "docker.io/library/$base" >/dev/null 2>&1; then
  echo 'cannot be pulled: making a stand-in'
  stand_in
fi

for target in "${targets[@]}"; do
  say "buildah build: $target"
  begin=$SECONDS
  buildah_ build --isolation chroot --format docker --layers --pull-never \
    --build-arg "NODE_IMAGE=docker.io/library/$base" --target "$target" --tag "localhost/smoothcert-$target:$version" \
    "${build_arguments[@]}" . >"$WORK/$target.build" 2>&1 || fail "$target cannot be built: $(tail -30 "$WORK/$target.build")"
  echo "$((SECONDS - begin)) s"
  grep -hE '^(cuda|tensorflow): ' "$WORK/$target.build" || true
  container=$(buildah_ from --pull-never "localhost/smoothcert-$target:$version")
  root=$(buildah_ mount "$container")
  inspect() { buildah_ inspect --type image --format "$1" "localhost/smoothcert-$target:$version"; }
  echo "$root" >"$WORK/$target.root"
  inspect '{{.Docker.Config.User}}' >"$WORK/$target.user"
  inspect '{{.Docker.Config.WorkingDir}}' >"$WORK/$target.directory"
  inspect '{{range .Docker.Config.Env}}{{println .}}{{end}}' >"$WORK/$target.environment"
  inspect '{{range .Docker.Config.Entrypoint}}{{println .}}{{end}}{{range .Docker.Config.Cmd}}{{println .}}{{end}}' |
    sed '/^$/d' >"$WORK/$target.command"
  # Its first word, CMD, says that the rest is run without a shell.
  inspect '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' | sed '/^$/d; 1d' >"$WORK/$target.health"
  for secret in root/.npmrc etc/pip.conf run/secrets/certificates; do
    [ ! -s "$root/$secret" ] || fail "$target holds $secret"
  done
  grep -q '"bomFormat": "CycloneDX"' "$root/app/sbom.json" || fail "$target has no SBOM"
  [ ! -e "$root/app/node_modules/typescript" ] || fail "$target holds development dependencies"
  for tool in npm pip3 python3 gcc g++; do
    [ -z "$(find "$root"/usr/bin "$root"/usr/local/bin -name "$tool")" ] || fail "$target holds $tool"
  done
done
for engine in onnxruntime-node @tensorflow; do
  [ ! -e "$(cat "$WORK/api.root")/app/node_modules/$engine" ] || fail "api holds $engine"
done

unshare --net --mount --pid --fork --kill-child --mount-proc bash "$SCRIPT" --pod

say 'sizes'
buildah_ images --filter dangling=false --format '{{.Name}}:{{.Tag}} {{.Size}}'
for target in "${targets[@]}"; do
  root=$(cat "$WORK/$target.root")
  du -sh "$root"/app/node_modules "$root"/opt/cuda 2>/dev/null |
    sed "s|$root|$target: |" || true
done
say "${#targets[@]} images were built and run"

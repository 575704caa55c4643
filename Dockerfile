# Smoothcert's images: `docker build --target api .`, and so on for each target on the right.
# How they are built, run and checked: docs/containers.md, docs/gpu.md
#
#   packages ─┬─> build ────────────┬─> files-api ───────────────────> api                    nothing that runs networks
#             └─> compilers ─┐      │
#                            ├─ tensorflow-cpu ─> files-worker-cpu ──> worker-cpu             ONNX Runtime, TensorFlow
#                            ├─ cuda-onnxruntime ────────────────────> worker-onnx-cuda       ONNX Runtime on CUDA 13
#                            └─ tensorflow-gpu, cuda-tensorflow ─────> worker-tensorflow-gpu  TensorFlow on CUDA 12
#
# What is fetched and compiled does not stand on the sources, so that a change of those fetches nothing again. A further
# kind of worker is its files, from `build`, and a final stage on `runtime` or `runtime-gpu`.

ARG NODE_IMAGE=node:22.23.2-bookworm-slim

# ---- packages: what the lockfile says, with development dependencies -----------------------------------------------
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The secrets are optional: a registry's settings, and certificates that clients must trust to reach it. Mounted for one
# command, they are in no image.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=certificates,target=/run/secrets/certificates \
    if [ -s /run/secrets/certificates ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/certificates; fi; \
    npm ci

# ---- build: the program, and the packages that it needs in production ----------------------------------------------
FROM packages AS build
COPY tsconfig.json tsconfig.build.json ./
COPY src src
# Offline: what is taken away needs no registry. Without its development dependencies package.json tells what is there,
# and the bill of materials is made of that.
RUN npm run build \
    && npm prune --omit=dev --offline \
    && npm pkg delete devDependencies scripts

# ---- compilers: what makes native libraries, for stages that no image stands on -------------------------------------
FROM packages AS compilers
RUN --mount=type=secret,id=certificates,target=/run/secrets/certificates \
    apt-get update \
    && apt-get install -y --no-install-recommends python3-pip g++ ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && if [ -s /run/secrets/certificates ]; then cat /run/secrets/certificates >> /etc/ssl/certs/ca-certificates.crt; fi
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt

# TensorFlow's binding is made for 64-bit Intel and AMD. Elsewhere the script says so, and the worker has ONNX Runtime
# alone and refuses TensorFlow models by name.
FROM compilers AS tensorflow-cpu
COPY scripts/build-tensorflow.sh scripts/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    TF=2.21.0 WHEEL=tensorflow-cpu bash scripts/build-tensorflow.sh && rm -rf .tensorflow

# 2.18.1 has machine code for GPUs from Pascal to Hopper, and is of the first series on cuDNN 9.
FROM compilers AS tensorflow-gpu
COPY scripts/build-tensorflow.sh scripts/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    TF=2.18.1 WHEEL=tensorflow SHA256=1f929842999d60e7da67743ae5204b477259f3b771c02e5e437d232267e49f18 \
    bash scripts/build-tensorflow.sh && rm -rf .tensorflow

FROM compilers AS cuda-tensorflow
COPY scripts/fetch-cuda.sh scripts/
COPY docker/cuda-tensorflow.txt docker/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf bash scripts/fetch-cuda.sh tensorflow /opt/cuda/lib

# ONNX Runtime's providers come from its wheel on PyPI, not from the npm package's own download step: pip demands the
# digests of docker/cuda-onnxruntime.txt, that step checks none; and the script checks that the wheel is of the very build
# of the npm package's library. The price is the driver: the wheel is made for CUDA 13, which needs 580 or later; the
# download step brings a build for CUDA 12, which needs 525 (docs/gpu.md says how to use it outside containers).
FROM compilers AS cuda-onnxruntime
COPY scripts/fetch-cuda.sh scripts/
COPY docker/cuda-onnxruntime.txt docker/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf bash scripts/fetch-cuda.sh onnxruntime /opt/cuda/lib

# ---- files of the API ----------------------------------------------------------------------------------------------
# The API checks models by their bytes and decodes no pixels: without an engine it cannot infer, even by mistake.
# npm 10 installs sharp's WebAssembly build beside the native one, which is the one that is used.
FROM build AS files-api
RUN npm pkg delete dependencies.onnxruntime-node optionalDependencies \
    && npm prune --omit=dev --offline \
    && find node_modules -type d -empty -delete \
    && test ! -e node_modules/onnxruntime-node \
    && test ! -e node_modules/@tensorflow \
    && rm -rf node_modules/@img/sharp-wasm32 node_modules/@emnapi \
    && npm sbom --sbom-format cyclonedx --omit dev > sbom.json

# ---- files of workers ----------------------------------------------------------------------------------------------
# ONNX Runtime's package brings libraries for five platforms; one of them is this one's. Source maps are most of what
# tfjs weighs.
FROM build AS files-worker-onnx
RUN npm pkg delete optionalDependencies \
    && npm prune --omit=dev --offline \
    && rm -rf node_modules/@img/sharp-wasm32 node_modules/@emnapi \
    && find node_modules -type d -empty -delete \
    && npm sbom --sbom-format cyclonedx --omit dev > sbom.json \
    && cd node_modules/onnxruntime-node/bin/napi-v* \
    && mv "linux/$(node -p process.arch)" ../kept \
    && rm -r ./* \
    && mkdir linux \
    && mv ../kept "linux/$(node -p process.arch)"

FROM build AS files-worker-tensorflow
RUN rm -rf node_modules/@img/sharp-wasm32 node_modules/@emnapi \
    && npm sbom --sbom-format cyclonedx --omit dev > sbom.json \
    && find node_modules/@tensorflow -name '*.map' -delete \
    && cd node_modules/onnxruntime-node/bin/napi-v* \
    && mv "linux/$(node -p process.arch)" ../kept \
    && rm -r ./* \
    && mkdir linux \
    && mv ../kept "linux/$(node -p process.arch)"

# ---- what all processes run on -------------------------------------------------------------------------------------
FROM ${NODE_IMAGE} AS runtime
# tini is process 1: it passes SIGTERM on and reaps device hosts. npm has no work here any more, and no program may
# change its user.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
       /usr/local/lib/node_modules /opt/yarn* \
       /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
ENV NODE_ENV=production
WORKDIR /app
STOPSIGNAL SIGTERM
# The base's user `node`, by number, so that a platform can see that it is not root. It owns no file of the image.
USER 1000:1000
ENTRYPOINT ["/usr/bin/tini", "--", "node", "dist/main/cli.js"]

# ---- api -----------------------------------------------------------------------------------------------------------
FROM runtime AS api
COPY LICENSE ./
COPY models models
COPY docker/api-health.mjs docker/
COPY --from=files-api /app/package.json /app/sbom.json ./
COPY --from=files-api /app/node_modules node_modules
COPY --from=files-api /app/dist dist
# Inside a container loopback is the container's own; publish the port on the host's loopback.
ENV SMOOTHCERT_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "docker/api-health.mjs"]
CMD ["api"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Smoothcert API" \
      org.opencontainers.image.description="HTTP API of the certification service for image classifiers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# ---- worker-cpu ----------------------------------------------------------------------------------------------------
FROM runtime AS worker-cpu
COPY LICENSE ./
COPY models models
COPY --from=files-worker-tensorflow /app/package.json /app/sbom.json ./
COPY --from=files-worker-tensorflow /app/node_modules node_modules
COPY --from=tensorflow-cpu /app/node_modules/@tensorflow/tfjs-node-gpu node_modules/@tensorflow/tfjs-node-gpu
COPY --from=files-worker-tensorflow /app/dist dist
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["node", "dist/main/worker-health.js"]
CMD ["worker"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Smoothcert worker (CPU)" \
      org.opencontainers.image.description="Worker of the certification service for image classifiers, on CPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# ---- what workers on NVIDIA GPUs run on ----------------------------------------------------------------------------
# CUDA's libraries come from NVIDIA's wheels, so that all images stand on one base; libcuda and nvidia-smi are the driver's,
# which the NVIDIA container toolkit mounts.
FROM runtime AS runtime-gpu
USER 0:0
# The one folder that the user owns: a volume that is empty when it is mounted there takes over its owner.
RUN install -d -o 1000 -g 1000 -m 700 /var/cache/smoothcert \
    && install -d /opt/tensorrt/lib
USER 1000:1000
# Without a GPU the worker refuses to start; /opt/tensorrt is empty unless TensorRT is mounted there (docs/gpu.md).
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    LD_LIBRARY_PATH=/opt/cuda/lib:/opt/tensorrt/lib \
    CUDA_CACHE_PATH=/var/cache/smoothcert/cuda \
    SMOOTHCERT_DEVICES=cuda
VOLUME /var/cache/smoothcert

# ---- worker-onnx-cuda ----------------------------------------------------------------------------------------------
FROM runtime-gpu AS worker-onnx-cuda
COPY --from=cuda-onnxruntime /opt/cuda /opt/cuda
COPY docker/cuda-onnxruntime.txt /opt/cuda/wheels.txt
COPY LICENSE ./
COPY models models
COPY --from=files-worker-onnx /app/package.json /app/sbom.json ./
COPY --from=files-worker-onnx /app/node_modules node_modules
COPY --from=cuda-onnxruntime /app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_*.so node_modules/onnxruntime-node/bin/napi-v6/linux/x64/
COPY --from=files-worker-onnx /app/dist dist
# TensorRT builds its engines before the first job.
HEALTHCHECK --interval=15s --timeout=10s --start-period=300s --retries=3 CMD ["node", "dist/main/worker-health.js"]
CMD ["worker"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Smoothcert worker (ONNX Runtime, NVIDIA GPUs)" \
      org.opencontainers.image.description="Worker of the certification service for image classifiers, ONNX models on NVIDIA GPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# ---- worker-tensorflow-gpu -----------------------------------------------------------------------------------------
# ONNX Runtime is there without its providers: it refuses ONNX models by name.
FROM runtime-gpu AS worker-tensorflow-gpu
COPY --from=cuda-tensorflow /opt/cuda /opt/cuda
COPY docker/cuda-tensorflow.txt /opt/cuda/wheels.txt
COPY LICENSE ./
COPY models models
COPY --from=files-worker-tensorflow /app/package.json /app/sbom.json ./
COPY --from=files-worker-tensorflow /app/node_modules node_modules
COPY --from=tensorflow-gpu /app/node_modules/@tensorflow/tfjs-node-gpu node_modules/@tensorflow/tfjs-node-gpu
COPY --from=files-worker-tensorflow /app/dist dist
# For cards newer than Hopper the driver compiles TensorFlow's kernels before the first job.
HEALTHCHECK --interval=15s --timeout=10s --start-period=300s --retries=3 CMD ["node", "dist/main/worker-health.js"]
CMD ["worker"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Smoothcert worker (TensorFlow, NVIDIA GPUs)" \
      org.opencontainers.image.description="Worker of the certification service for image classifiers, TensorFlow models on NVIDIA GPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# Smoothcert's images: `docker build --target api .` and `docker build --target worker-cpu .`
# How they are built, run and checked: docs/containers.md
#
#   build ─┬─> files-api ────────> api           nothing that runs networks
#          └─> files-worker-cpu ─> worker-cpu    ONNX Runtime for this platform's CPU
#
# A further kind of worker is one more pair: its files from `build`, and a final stage on the base that its device needs.

ARG NODE_IMAGE=node:22.23.2-bookworm-slim

# ---- build: everything, with development dependencies --------------------------------------------------------------
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Both secrets are optional: a registry's settings, and certificates that Node must trust to reach it. Mounted for this
# one command, they are in no layer.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=certificates,target=/run/secrets/certificates \
    if [ -s /run/secrets/certificates ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/certificates; fi; \
    npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
# Offline: what is taken away needs no registry. Without its development dependencies package.json tells what is there,
# and the bill of materials is made of that.
RUN npm run build \
    && npm prune --omit=dev --offline \
    && npm pkg delete devDependencies scripts

# ---- files of the API ----------------------------------------------------------------------------------------------
# The API checks models by their bytes and decodes no pixels: without ONNX Runtime it cannot infer, even by mistake.
# npm 10 installs sharp's WebAssembly build beside the native one, which is the one that is used.
FROM build AS files-api
RUN npm pkg delete dependencies.onnxruntime-node \
    && npm prune --omit=dev --offline \
    && test ! -e node_modules/onnxruntime-node \
    && rm -rf node_modules/@img/sharp-wasm32 node_modules/@emnapi \
    && npm sbom --sbom-format cyclonedx --omit dev > sbom.json

# ---- files of the CPU worker ---------------------------------------------------------------------------------------
# The package brings libraries for five platforms; one of them is this one's.
FROM build AS files-worker-cpu
RUN rm -rf node_modules/@img/sharp-wasm32 node_modules/@emnapi \
    && npm sbom --sbom-format cyclonedx --omit dev > sbom.json \
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
COPY docker/worker-health.mjs docker/
COPY --from=files-worker-cpu /app/package.json /app/sbom.json ./
COPY --from=files-worker-cpu /app/node_modules node_modules
COPY --from=files-worker-cpu /app/dist dist
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["node", "docker/worker-health.mjs"]
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

# syntax=docker/dockerfile:1
# serin's image: `docker build --tag serin:0.1.0 .` in a clone. Without an engine, `scripts/image` makes the
# same image: it calls the same script for the files and reads the last stage of this file for the rest.
#
#   docker run --read-only --tmpfs /tmp -v serin:/var/lib/serin -p 5000:5000 serin:0.1.0 registry --host 0.0.0.0

# --- the executable ------------------------------------------------------------------------------------
FROM debian:12-slim AS build
# Behind a mirror: --build-arg PIP_INDEX_URL=… --build-arg NPM_CONFIG_REGISTRY=…
ARG PIP_INDEX_URL
ARG NPM_CONFIG_REGISTRY
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates python3 python3-pip \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY scripts/env.sh scripts/deno scripts/deno-version scripts/
RUN scripts/deno --version
COPY . .
RUN scripts/deno task build && ./serin version

# --- everything else: libraries, certificates, users, folders -----------------------------------------
FROM debian:12-slim AS rootfs
COPY scripts/env.sh /src/scripts/
COPY scripts/lib/debian.sh scripts/lib/image_rootfs.sh /src/scripts/lib/
RUN /src/scripts/lib/image_rootfs.sh /rootfs

# --- the image: two layers, of which a new version changes the second -----------------------------------
FROM scratch
ARG VERSION=0.1.0
ARG SOURCE=""
LABEL org.opencontainers.image.title="serin" \
  org.opencontainers.image.description="Trains, registers, serves and rolls out models" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.source="$SOURCE" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=rootfs /rootfs/ /
COPY --from=build /src/serin /serin
ENV PATH=/
USER 65532:65532
WORKDIR /var/lib/serin
# registry; serve: data port, admin port; controller: admin port
EXPOSE 5000 8080 8081 8082
ENTRYPOINT ["/serin"]

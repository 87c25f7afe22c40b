# Builds the plugin and puts it, with its configurations and the command wherobots-audit, on the official Fluent Bit image. Nothing else is added.
#
# By default the bases are named by version. `make docker` takes FLUENT_BIT_IMAGE and GO_IMAGE with digests (name@sha256:…),
# which `docker buildx imagetools inspect` shows: a build for production should name them. The release puts what it has
# built in place of the stage `build` (make docker PREBUILT=…), so that image and archive have the same bytes.
ARG FLUENT_BIT_IMAGE=fluent/fluent-bit:5.1.1
ARG GO_IMAGE=golang:1.26-bookworm

# Bookworm's glibc is no newer than the official image's, so the shared object loads there.
FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make folder VERSION=${VERSION}
# The volume's mount point belongs to the user that runs Fluent Bit; the runtime image has no shell to do this in.
RUN mkdir -p /state/var/lib/fluent-bit

FROM ${FLUENT_BIT_IMAGE}
COPY --from=build /src/build/image/in_wherobots_audit.so /fluent-bit/plugins/in_wherobots_audit.so
COPY --from=build /src/build/image/wherobots-audit /fluent-bit/bin/wherobots-audit
COPY --from=build /src/build/image/conf/ /fluent-bit/etc/wherobots/
COPY --from=build /src/build/image/LICENSE /src/build/image/THIRD_PARTY_LICENSES /licenses/in_wherobots_audit/
COPY --from=build --chown=65532:65532 /state/var/lib/fluent-bit /var/lib/fluent-bit
ENV WHEROBOTS_PLUGINS_FILE=/fluent-bit/etc/wherobots/container/plugins.yaml
USER 65532:65532
VOLUME /var/lib/fluent-bit
# Whether Fluent Bit answers; with the setting status_listen, /livez at its address tells more. Freshness is for alerts.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/fluent-bit/bin/wherobots-audit", "health", "--url", "http://127.0.0.1:2020/api/v1/uptime"]
ENTRYPOINT ["/fluent-bit/bin/fluent-bit"]
CMD ["-c", "/fluent-bit/etc/wherobots/fluent-bit.yaml"]

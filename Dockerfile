# Builds the plugin and puts it, with its configurations and the command wherobots-audit, on the official Fluent Bit image. Nothing else is added.
ARG FLUENT_BIT_VERSION=5.1.1

# Bookworm's glibc is no newer than the official image's, so the shared object loads there.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION=${VERSION}
# The volume's mount point belongs to the user that runs Fluent Bit; the runtime image has no shell to do this in.
RUN mkdir -p /state/var/lib/fluent-bit

FROM fluent/fluent-bit:${FLUENT_BIT_VERSION}
COPY --from=build /src/build/in_wherobots_audit.so /fluent-bit/plugins/in_wherobots_audit.so
COPY --from=build /src/build/wherobots-audit /fluent-bit/bin/wherobots-audit
COPY --from=build /src/conf/ /fluent-bit/etc/wherobots/
COPY --from=build --chown=65532:65532 /state/var/lib/fluent-bit /var/lib/fluent-bit
ENV WHEROBOTS_PLUGINS_FILE=/fluent-bit/etc/wherobots/container/plugins.conf
USER 65532:65532
VOLUME /var/lib/fluent-bit
ENTRYPOINT ["/fluent-bit/bin/fluent-bit"]
CMD ["-c", "/fluent-bit/etc/wherobots/fluent-bit.yaml"]

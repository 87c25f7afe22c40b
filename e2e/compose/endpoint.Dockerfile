# The simulated endpoint alone, for compose.yaml.
ARG GO_IMAGE=golang:1.26-bookworm
FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -o /simulated-endpoint ./exporter/exportertest/serve

FROM scratch
COPY --from=build /simulated-endpoint /
USER 65532:65532
ENTRYPOINT ["/simulated-endpoint"]

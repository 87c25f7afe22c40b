# Installing and packaging; the Makefile includes this.
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
# nfpm needs no tools of a distribution. It is run, not depended on: its libraries stay out of go.mod.
NFPM       := $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4
CYCLONEDX  := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# What is packed is dated by its commit, whoever packs it, and when.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
export PREFIX SYSCONFDIR DESTDIR NFPM CYCLONEDX VERSION SOURCE_DATE_EPOCH

.PHONY: install packages folder release nfpm cyclonedx

install: build ## copy plugin, command, configurations and unit to PREFIX=/usr/local and SYSCONFDIR=/etc, below DESTDIR=
	@packaging/install.sh

packages: build ## make build/packages/*.deb and *.rpm (GOARCH=arm64 CC=aarch64-linux-gnu-gcc BUILD=build/arm64 for arm64)
	@packaging/packages.sh

folder: build # what archives and images have
	@packaging/folder.sh $(BUILD)/image

release: packages folder ## make build/dist: archive, packages and bills of materials of this processor, the same bytes each time
	@packaging/release.sh

DOCKER ?= docker
.PHONY: plugin-image
plugin-image: folder ## build the image that has the plugin only (IMAGE=…, DOCKER=docker, podman or buildah)
	$(DOCKER) build -f Dockerfile.plugin -t $(IMAGE):plugin $(BUILD)/image

nfpm: # whether nfpm can be had
	@cd / && GOFLAGS= GOARCH= $(NFPM) --version

cyclonedx: # whether cyclonedx-gomod can be had
	@cd / && CGO_ENABLED=0 GOFLAGS=-trimpath GOARCH= $(GO) run $(CYCLONEDX) version

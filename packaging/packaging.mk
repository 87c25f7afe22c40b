# Installing and packaging; the Makefile includes this.
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
# nfpm needs no tools of a distribution. It is run, not depended on: its libraries stay out of go.mod.
NFPM       := $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4
export PREFIX SYSCONFDIR DESTDIR NFPM VERSION

.PHONY: install packages nfpm

install: build ## copy plugin, command, configurations and unit to PREFIX=/usr/local and SYSCONFDIR=/etc, below DESTDIR=
	@packaging/install.sh

packages: build ## make build/packages/*.deb and *.rpm (GOARCH=arm64 CC=aarch64-linux-gnu-gcc BUILD=build/arm64 for arm64)
	@packaging/packages.sh

DOCKER ?= docker
.PHONY: plugin-image
plugin-image: build ## build the image that has the plugin only (IMAGE=…, DOCKER=docker, podman or buildah)
	rm -rf $(BUILD)/image && mkdir -p $(BUILD)/image
	cp -r $(PLUGIN) $(COMMAND) conf $(BUILD)/image
	$(DOCKER) build -f Dockerfile.plugin -t $(IMAGE):plugin $(BUILD)/image

nfpm: # whether nfpm can be had
	@cd / && GOFLAGS= GOARCH= $(NFPM) --version

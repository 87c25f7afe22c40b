# GNU make; `make` alone lists what there is.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

GO       ?= go
CC       ?= gcc
BUILD    := build
PLUGIN   := $(BUILD)/in_wherobots_audit.so
COMMAND  := $(BUILD)/wherobots-audit
HOST     := $(BUILD)/host
SIMULATED := $(BUILD)/simulated-endpoint
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
FUZZTIME ?= 30s
KILLS    ?= 50
HISTORIES ?= 10000
SEED     ?= 0
FLUENT_BITS ?=
ENGINES_DOC ?=
IMAGE    ?= in_wherobots_audit
# For `make run`: the endpoint to poll, and the key for it. Set in the environment, as in `API_KEY=… make run ENDPOINT=…`, `ps` does not show the key.
ENDPOINT ?=
API_KEY  ?=
export ENDPOINT API_KEY BUILD

# .github/workflows/ci.yml lints with this version too.
GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(shell cat .golangci-version)

MODULE   := github.com/wherobots/in_wherobots_audit
# The same bytes in every folder, with or without git. notfastpath leaves out generated code of an encoder that
# fluent-bit-go brings along and this plugin never calls (0.9 MB).
REPRODUCIBLE   := -trimpath -buildvcs=false
GOFLAGS_PLUGIN := -buildmode=c-shared $(REPRODUCIBLE) -tags notfastpath -ldflags "-s -w -X $(MODULE)/exporter.Version=$(VERSION)"
SOURCES := $(shell find . -name '*.go' -not -name '*_test.go' -not -path './$(BUILD)/*') plugin.h go.mod

include packaging/packaging.mk

.DEFAULT_GOAL := help
.PHONY: help build run demo test e2e engines siem splunk-addon bench fuzz lint docker simulate chaos clean fmt

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

build: $(PLUGIN) $(COMMAND) ## build the shared object build/in_wherobots_audit.so and the command build/wherobots-audit

run: $(PLUGIN) $(HOST) $(SIMULATED) ## poll the service (WHEROBOTS_API_KEY), ENDPOINT=… with API_KEY in the environment, or a simulated endpoint
	@exec e2e/run.sh

test: ## run everything that CI runs (about twenty-five minutes); the last line says how many tests passed, failed and were skipped
	@$(GO) run ./e2e/check

e2e: $(PLUGIN) $(HOST) $(SIMULATED) $(COMMAND) ## run the end-to-end tests only
	$(GO) test -count=1 -timeout 12m -v -skip '^TestReal' ./e2e

engines: $(PLUGIN) $(HOST) $(SIMULATED) $(COMMAND) ## try each engine of FLUENT_BITS='PATH PATH …' and print its row of docs/engines.md (ENGINES_DOC=docs/engines.md writes the table)
	FLUENT_BITS='$(FLUENT_BITS)' $(GO) test -count=1 -timeout 12m -v -run '^TestEngines$$' ./e2e $(if $(ENGINES_DOC),-engines.doc $(CURDIR)/$(ENGINES_DOC))

demo: $(PLUGIN) $(HOST) $(SIMULATED) ## show a simulated endpoint's events in a browser, with VictoriaLogs; Ctrl-C ends it
	@$(GO) build -o $(BUILD)/demo ./e2e/siem/demo
	@exec $(BUILD)/demo -build $(BUILD)

siem: $(PLUGIN) $(HOST) $(SIMULATED) ## run the tests against real stores, which are fetched from package managers and run on loopback
	$(GO) test -count=1 -timeout 12m -parallel 8 -v -run '^TestReal' ./e2e
	$(GO) test -count=1 -timeout 12m -v -run '^TestQueries' ./e2e/detections

bench: $(PLUGIN) $(HOST) ## measure speed and memory, in ten minutes; writes the tables of docs/performance.md (BENCH_QUICK=1: in half a minute, writes nothing)
	$(GO) run ./bench -build $(BUILD) -doc docs/performance.md

# The same bytes whoever packs it, and when: sorted, without owners, in 1980.
splunk-addon: ## pack conf/splunk into build/TA-wherobots-audit.tgz, ready to install
	@mkdir -p $(BUILD)
	@tar --create --sort=name --format=ustar --mtime=@315532800 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
	  --transform='s,^\.,TA-wherobots-audit,' --directory=conf/splunk . | gzip --no-name --best >$(BUILD)/TA-wherobots-audit.tgz
	@echo $(BUILD)/TA-wherobots-audit.tgz

fuzz: ## fuzz every fuzz target for FUZZTIME=30s each
	@$(GO) list ./... | while read -r package; do \
	  { $(GO) test -list '^Fuzz' "$$package" | grep '^Fuzz' || true; } | while read -r target; do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "$$package"; \
	  done; \
	done

fmt: ## format all Go code (gofumpt and goimports, as the linter checks)
	$(GOLANGCI) fmt

lint: ## run golangci-lint
	$(GOLANGCI) run

docker: ## build the container image (PREBUILT=… takes what was built from a folder, as the release does)
	$(DOCKER) build --build-arg VERSION=$(VERSION) $(if $(PREBUILT),--build-context build=$(PREBUILT)) \
	  $(if $(FLUENT_BIT_IMAGE),--build-arg FLUENT_BIT_IMAGE=$(FLUENT_BIT_IMAGE)) $(if $(GO_IMAGE),--build-arg GO_IMAGE=$(GO_IMAGE)) -t $(IMAGE) .

simulate: ## play HISTORIES=10000 random histories of endpoint, engine, disk and crashes in fake time, from a random seed on (SEED=n HISTORIES=1 replays one)
	CGO_ENABLED=0 $(GO) test -cpu=1 -count=1 -timeout 24h -v -run '^TestModel$$' ./exporter -histories $(HISTORIES) -seed $(SEED)

chaos: $(PLUGIN) $(HOST) $(SIMULATED) ## kill, cut, refuse and pause for a long time; writes the table of docs/reliability.md (KILLS=50)
	$(GO) test -count=1 -timeout 2h -v -run '^TestChaos$$' ./e2e -chaos.kills $(KILLS) -chaos.doc $(CURDIR)/docs/reliability.md

clean: ## remove what was built; state/, where `make run` keeps its checkpoint, stays
	rm -rf $(BUILD)

$(PLUGIN): $(SOURCES)
	@mkdir -p $(BUILD)
	@echo 'building $@: a minute or two the first time, seconds after that' >&2 # stdout is for `make run`'s records only
	@CGO_ENABLED=1 $(GO) build $(GOFLAGS_PLUGIN) -o $@ . >&2

$(COMMAND): $(SOURCES)
	@mkdir -p $(BUILD)
	@echo 'building $@' >&2
	@CGO_ENABLED=0 $(GO) build $(REPRODUCIBLE) -ldflags "-s -w -X $(MODULE)/exporter.Version=$(VERSION)" -o $@ ./cmd/wherobots-audit >&2

$(HOST): $(wildcard e2e/host/*.c e2e/host/*.h)
	@mkdir -p $(BUILD)
	@echo 'building $@' >&2
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -rdynamic -o $@ $(filter %.c,$^) -ldl -lpthread >&2

$(SIMULATED): $(SOURCES)
	@mkdir -p $(BUILD)
	@echo 'building $@' >&2
	@CGO_ENABLED=0 $(GO) build -o $@ ./exporter/exportertest/serve >&2

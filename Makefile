# `make help` lists the targets. Needed: Go 1.26 or newer, Node with npm, git,
# make, bash. Everything else is fetched, pinned, by the targets that need it.

SHELL        := bash
.SHELLFLAGS  := -euo pipefail -c
MAKEFLAGS    += --no-builtin-rules
.DEFAULT_GOAL := help

GO      ?= go
NPM     ?= npm
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# The program is one static file; the tests run it as it is shipped.
export CGO_ENABLED := 0
ifdef CI
export NO_COLOR := 1
endif

LINTER   := $(GO) tool -modfile=.ci/tools/go.mod golangci-lint
EMBEDDED := load/embedded
# npm writes this file last, when everything is in place.
FETCHED  := $(EMBEDDED)/node_modules/.package-lock.json
# The tests' programs lie in temporary folders, where no library is beside them.
WITH_LIB := METERHOUSE_LIBCHDB='$(CURDIR)/bin/libchdb.so'

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Load 35 days from simulated sources into an embedded ClickHouse and show them
	@rm -rf .demo
	bin/meterhouse demo --once --dir .demo

.PHONY: build
build: go-is-new-enough bin/libchdb.so ## Write bin/meterhouse, and the embedded ClickHouse beside it
	$(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/meterhouse ./cmd/meterhouse

# A hard link costs no space, is a plain file to whoever copies bin/, and dates
# from now on, which npm's files do not.
bin/libchdb.so: $(FETCHED)
	@mkdir -p bin
	@ln -f $(EMBEDDED)/node_modules/@chdb/*/libchdb.so $@ 2>/dev/null || { \
		rm -f $@; cp $(EMBEDDED)/node_modules/@chdb/*/libchdb.so $@; }
	@touch $@

# The packages of the platforms are optional, so npm is content when it could
# not fetch any, or when one has the wrong checksum: look for the library itself.
$(FETCHED): $(EMBEDDED)/package.json $(EMBEDDED)/package-lock.json
	@command -v $(NPM) >/dev/null || { \
		echo "npm is needed to fetch the embedded ClickHouse: install Node.js with npm (Debian: apt-get install npm)." >&2; exit 1; }
	@echo "Installing into $(EMBEDDED)/node_modules: libchdb, which is ClickHouse as a library (570 MB on disk),"
	@echo "from the npm registry, in the version and with the checksum that package-lock.json pins."
	cd $(EMBEDDED) && $(NPM) ci --ignore-scripts --no-audit --no-fund --no-update-notifier
	@ls $(EMBEDDED)/node_modules/@chdb/*/libchdb.so >/dev/null 2>&1 || { rm -f $@; \
		echo "npm installed no libchdb.so: there is none for this platform, the registry could not be reached, or what it" >&2; \
		echo "sent does not have the pinned checksum. To see which: cd $(EMBEDDED) && $(NPM) ci --loglevel=verbose" >&2; \
		echo "Without it, for a ClickHouse server: $(GO) build -o bin/meterhouse ./cmd/meterhouse" >&2; exit 1; }
	@touch $@

.PHONY: go-is-new-enough
go-is-new-enough:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; exit 1; }
	@have=$$($(GO) env GOVERSION) || have=unknown; case "$$have" in \
		go1.[0-9] | go1.[0-9].* | go1.1[0-9]* | go1.2[0-5]* | unknown) \
			echo "Go 1.26 or newer is needed, this is $$have: https://go.dev/dl/" >&2; exit 1;; esac

.PHONY: fmt
fmt: go-is-new-enough ## Format all Go files
	$(LINTER) fmt

.PHONY: lint
lint: go-is-new-enough ## Look for mistakes and broken house rules (the first run builds golangci-lint: minutes)
	$(LINTER) run

.PHONY: test
test: go-is-new-enough bin/libchdb.so ## Run every test that a fresh machine can run
	$(WITH_LIB) $(GO) test ./...

.PHONY: test-unit
test-unit: go-is-new-enough ## Run the tests that need no ClickHouse: seconds
	$(GO) test ./schema/... ./extract/... ./etl/normalise/... ./etl/plan/... ./etl/run/... ./etl/notify/... ./etl/serve/... ./cmd/internal/config/... ./cmd/internal/status/...

.PHONY: test-native
test-native: go-is-new-enough bin/libchdb.so ## Run the suite and the faults on a real server, Debian's; installs it where it can
	$(WITH_LIB) GO='$(GO)' .ci/test-server native

.PHONY: test-cluster
test-cluster: go-is-new-enough bin/libchdb.so ## Run them on a cluster: two shards, two replicas each, a ZooKeeper, all Debian's
	$(WITH_LIB) GO='$(GO)' .ci/test-server cluster

.PHONY: test-server
test-server: go-is-new-enough bin/libchdb.so ## All of these, and a server in a container and one at an address; fails when one is missing
	$(WITH_LIB) GO='$(GO)' .ci/test-server all

# KILLS on the embedded engine, and as many on Debian's server.
KILLS ?= 200
.PHONY: soak
soak: build ## Kill bin/meterhouse KILLS (200) times on each warehouse and compare what readers see: up to an hour
	$(WITH_LIB) GO='$(GO)' KILLS='$(KILLS)' .ci/test-server soak

.PHONY: bench
bench: go-is-new-enough bin/libchdb.so ## Run the benchmarks
	$(WITH_LIB) $(GO) test -run '^$$' -bench . -benchmem ./...

# One target after the other, the workers of each side by side.
FUZZTIME ?= 10m
.PHONY: fuzz
fuzz: go-is-new-enough ## Fuzz every decoder for FUZZTIME (10m) each; what is found is kept in testdata/fuzz
	@for package in $$(grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10s $$package; \
		done; \
	done

.PHONY: golden
golden: go-is-new-enough bin/libchdb.so ## Write the golden files anew; look at the difference before you commit it
	$(WITH_LIB) $(GO) test $$(grep -rl --include='*_test.go' --exclude-dir=node_modules 'flag.Bool("update"' . | xargs -n1 dirname | sort -u) -update

.PHONY: tidy-check
tidy-check: go-is-new-enough ## Fail when go.mod or go.sum is not what `go mod tidy` would write
	$(GO) mod tidy -diff
	cd .ci/tools && $(GO) mod tidy -diff

.PHONY: check
check: lint tidy-check test test-native ## Everything that continuous integration runs

.PHONY: clean
clean: ## Remove what the other targets wrote, the fetched library too
	rm -rf bin .demo $(EMBEDDED)/node_modules

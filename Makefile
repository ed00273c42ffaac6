# Every task of the project. `make` alone lists them; a line's `##` comment is its help.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# How `make build` and `make run` compile: release or debug.
CONFIGURATION ?= release
# A release has Swift's libraries within it, as the image's has: a tenth less CPU time a call than with shared ones.
STATIC = $(if $(filter release,$(CONFIGURATION)),--static-swift-stdlib)
# More tests at once would take each other's time, until those fail that wait for a peer. So many run side by side:
AT_ONCE = --experimental-maximum-parallelization-width 4
# The end-to-end tests run processes of their own under load. They run without the others, since some play hostile peers at full speed, and a test process has as few
# threads as the machine has cores.
PROCESSES = EndToEndTests
# Tests of timeouts, which need real time: beside the others a peer would seem to be silent that has only no core to speak on.
REAL_TIME = CurlUpstream
BINARY = .build/$(CONFIGURATION)/metadata-gateway
# Where `make install` puts the executable and its completions; DESTDIR stands in front, for those who make packages.
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: help run build install uninstall test test-swift test-clients tsan check validate docs format bench soak outage \
  sbom clean

help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Install what is missing, build a release and start the gateway on 127.0.0.1:4000
	@exec $(BINARY) serve

build: ## Build the metadata-gateway executable (CONFIGURATION=release)
	@scripts/dependencies.sh build
	swift build -c $(CONFIGURATION) --product metadata-gateway $(STATIC)

install: $(BINARY) ## Install the executable and its completions for shells below PREFIX (/usr/local)
	@scripts/install.sh install $(BINARY) "$(DESTDIR)" "$(PREFIX)"

uninstall: ## Remove what `make install` installed below PREFIX
	@scripts/install.sh uninstall $(BINARY) "$(DESTDIR)" "$(PREFIX)"

# Not built again where it is there: the user who installs as root has built it as another.
$(BINARY):
	@$(MAKE) --no-print-directory build

test: test-swift test-clients ## Install what the tests need and run them all

test-swift: ## Run the Swift tests alone
	@scripts/dependencies.sh build tests
	@scripts/swift-test.sh $(AT_ONCE) --skip '$(PROCESSES)|$(REAL_TIME)'
	@scripts/swift-test.sh --skip-build --filter '$(REAL_TIME)'
	@scripts/swift-test.sh $(AT_ONCE) --skip-build --filter '$(PROCESSES)'

test-clients: ## Run the tests with real clients alone (OpenAI's SDK, a LiteLLM proxy) and those of deploy/, against a debug build
	@scripts/dependencies.sh build clients
	swift build --product metadata-gateway
	@scripts/clients.sh .build/debug/metadata-gateway

tsan: ## Run the Swift tests under ThreadSanitizer, a few at a time, in a build of its own
	@scripts/dependencies.sh build tests
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/thread-sanitizer.supp" \
	  swift test --sanitize thread --scratch-path .build-tsan $(AT_ONCE)

check: validate test ## Validate, then test; CI (.ci/run) also builds the documentation, and runs a short soak and a smoke test

validate: ## Check what needs no build: layout, sizes, forbidden calls, layers, pins, documents, scripts and alert rules
	@scripts/dependencies.sh validate
	@scripts/validate.sh

docs: ## Build the documentation of the public modules (DocC) from a debug build
	@swift build --product CustomGateway
	@scripts/docc.sh

format: ## Lay the Swift sources out in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests Examples

bench: ## Measure a release against nginx and other gateways (Benchmarks/README.md has the options)
	@scripts/dependencies.sh build bench
	swift build -c release --product metadata-gateway --static-swift-stdlib
	@Benchmarks/run.sh .build/release/metadata-gateway

soak: ## Load the gateway's parts while they are killed at random, and check every fact (Tests/Soak/README.md has the options)
	@scripts/dependencies.sh build clients
	swift build -c $(CONFIGURATION) --product metadata-gateway $(STATIC)
	@Tests/Soak/run.sh $(BINARY)

outage: ## Take the trace store away for an hour while completions go on, and check that each has its trace (options: Tests/Soak/README.md)
	@scripts/dependencies.sh build clients
	swift build -c $(CONFIGURATION) --product metadata-gateway $(STATIC)
	@Tests/Soak/run.sh $(BINARY) outage

sbom: ## Print the bill of materials of what `make build` resolved, as CycloneDX
	@scripts/sbom.py

clean: ## Remove everything that the other tasks built
	rm -rf .build .build-tsan

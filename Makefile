SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
TESTFLAGS ?=
RUN ?=
GUARD ?=
REMOVALS ?=
export CGO_ENABLED ?= 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: build
build: ## build ./reseed
	CGO_ENABLED=0 go build -trimpath -o reseed .

.PHONY: demo
demo: ## tour both services with sample data, then keep serving until interrupted
	go run . demo

.PHONY: setup
setup: ## install by package name what the tests need and this machine lacks
	@scripts/setup.sh

# A skipped test counts as a failure: scripts/testgate says which.
.PHONY: test
test: setup ## all tests with the race detector, on SQLite and MariaDB
	RESEED_TEST_REQUIRE_MARIADB=1 RESEED_TEST_REQUIRE_CHROMIUM=1 RESEED_TEST_REQUIRE_NPM=1 go test -race -timeout 40m -json $(TESTFLAGS) ./... | go run ./scripts/testgate

.PHONY: screenshots
screenshots: setup ## pictures of every page and state, light and dark, in ./screenshots
	@mkdir -p screenshots
	RESEED_SCREENSHOTS=$(CURDIR)/screenshots RESEED_TEST_REQUIRE_CHROMIUM=1 RESEED_TEST_REQUIRE_NPM=1 go test -count=1 -run '^TestBrowserStates$$' .

.PHONY: timing
timing: setup ## time strangers against members, by Welch's t; a quarter of an hour on a quiet machine. RUN picks some
	go test -tags timing -run '$(or $(RUN),Time$$)' -v -timeout 2h .

.PHONY: soak
soak: setup ## the long forms of the fault tests, about an hour; RUN picks some of them
	RESEED_TEST_REQUIRE_MARIADB=1 go test -tags soak -v -timeout 3h -run '$(RUN)' ./faulttest

.PHONY: removals
removals: setup ## take guards out one by one; every time a test must fail. GUARD picks some of them, REMOVALS=-quick those that ci tries
	go run ./scripts/removals $(REMOVALS) $(if $(GUARD),"$(GUARD)")

.PHONY: fmt
fmt: ## fail where gofmt would change a file
	@changed=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -s -l); \
	if [ -n "$$changed" ]; then echo "gofmt -s would change:"; echo "$$changed"; exit 1; fi

.PHONY: vet
vet: ## go vet
	go vet ./...

.PHONY: lint
lint: fmt vet ## gofmt, go vet and golangci-lint
	$(GOLANGCI_LINT) run

.PHONY: vuln
vuln: ## known vulnerabilities in what the program calls; asks Go's vulnerability database
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

.PHONY: reproduce
reproduce: ## build the committed sources twice, from nothing, and compare byte for byte
	scripts/reproduce.sh

.PHONY: bench
bench: ## all benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 10s) each
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: ci
ci: REMOVALS = -quick
ci: lint test removals fuzz build ## everything that continuous integration checks
	./reseed demo --once

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
TESTFLAGS ?=
RUN ?=
GUARD ?=
BENCHFLAGS ?=
REMOVALS ?=
export CGO_ENABLED ?= 1

# The fault tests have limits of time and come after all others, alone: once, while
# these compiled beside them, a mail came after 24 s that takes 0.1 s otherwise.
OTHERS = $$(go list ./... | grep -v /e2e/faults$$)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: build
build: ## build ./reseed
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o reseed .

.PHONY: demo
demo: ## tour both services with sample data, then keep serving until interrupted
	go run . demo

.PHONY: setup
setup: ## install by package name what the tests need and this machine lacks
	@scripts/setup.sh

# Slow tests ask testing.Short. A skipped test counts as a failure, and so does what stays in the temporary folder.
.PHONY: test
test: setup ## the tests in their shortest form, on SQLite and MariaDB; TESTFLAGS go to go test
	scripts/test.sh -short -p 3 $(TESTFLAGS) $(OTHERS)
	scripts/test.sh -short $(TESTFLAGS) ./e2e/faults

.PHONY: race
race: setup ## all tests with the race detector
	scripts/test.sh -race $(TESTFLAGS) $(OTHERS)
	scripts/test.sh -race $(TESTFLAGS) ./e2e/faults

# Those that the pages of the documentation show are copied there.
.PHONY: screenshots
screenshots: setup ## pictures of every page and state, light and dark, in ./screenshots, some of them for docs/images
	@mkdir -p screenshots docs/images
	RESEED_SCREENSHOTS=$(CURDIR)/screenshots RESEED_TEST_REQUIRE_CHROMIUM=1 RESEED_TEST_REQUIRE_NPM=1 go test -count=1 -run '^TestBrowserStates$$' ./e2e
	for name in change-group inbox preview; do install -m 644 screenshots/$$name-768-light.png docs/images/$$name.png; done

.PHONY: timing
timing: setup ## time strangers against members, by Welch's t; half an hour on a quiet machine. RUN picks some
	go test -tags timing -run '$(or $(RUN),Time$$)' -v -timeout 2h ./e2e

.PHONY: soak
soak: setup ## the long forms of the fault tests, about an hour; RUN picks some of them
	RESEED_TEST_REQUIRE_MARIADB=1 go test -tags soak -v -timeout 3h -run '$(RUN)' ./e2e/faults

.PHONY: removals
removals: setup ## take guards out one by one; every time a test must fail. GUARD picks some of them, REMOVALS=-quick those that ci tries
	go run ./scripts/removals $(REMOVALS) $(if $(GUARD),"$(GUARD)")

.PHONY: reference
reference: ## write docs/reference-*.md from the program
	go test -count=1 -run '^TestReferencePages$$' ./e2e -update

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

.PHONY: notices
notices: ## third-party notices and a bill of materials (CycloneDX) of what is linked, in ./dist
	go run ./scripts/notices

.PHONY: bench
bench: setup ## requests beside the bare database, on SQLite and MariaDB, about eight minutes; docs/performance.md says how to read it
	go run ./bench $(BENCHFLAGS)

.PHONY: bench-quick
bench-quick: setup ## the same in two minutes
	go run ./bench -rounds 3 -length 4s $(BENCHFLAGS)

.PHONY: benchmarks
benchmarks: ## all Go benchmarks, for benchstat
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 10s) each
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: ci
ci: REMOVALS = -quick
ci: FUZZTIME = 3s
ci: lint race removals fuzz build ## everything that continuous integration checks
	./reseed demo --once

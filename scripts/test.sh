#!/usr/bin/env bash
# Runs go test with the arguments given. A test that is skipped counts as a
# failure, and so does anything that is left in the temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."

TMPDIR=$(mktemp -d)
export TMPDIR
chmod 711 "$TMPDIR" # Postfix and MariaDB run as users of their own
trap 'rm -rf "$TMPDIR"' EXIT

# What the tests build themselves is then compiled once for both. Debuggers alone
# need DWARF, and make lint vets.
export GOFLAGS='-trimpath -ldflags=-w'
export RESEED_TEST_REQUIRE_MARIADB=1 RESEED_TEST_REQUIRE_CHROMIUM=1 RESEED_TEST_REQUIRE_NPM=1
go test -vet=off -timeout 40m -parallel 3 -json "$@" | go run ./scripts/testgate

left=$(ls -A "$TMPDIR")
if [ -n "$left" ]; then
  echo "left in the temporary folder:" "$left" >&2
  exit 1
fi

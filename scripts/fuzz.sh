#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME each, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${FUZZTIME:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# only_out_of_time TARGET: Go before 1.27 at times takes the end of -fuzztime for
# a failure of the target (golang/go#75804). Then its output is this and nothing
# else; an input that fails, a panic or a crash says more.
only_out_of_time() {
  [[ $(grep -v '^fuzz: elapsed: ' "$log" | sed -E 's/[0-9.]+s\b/TIME/; s/\t.*//') == \
    "--- FAIL: $1 (TIME)"$'\n    context deadline exceeded\nFAIL\nexit status 1\nFAIL' ]]
}

# Inputs that reach new code are shrunk, by default for a minute each, in which
# nothing new is tried.
count=0
while IFS=: read -r file target; do
  echo "fuzz ${file%/*} $target"
  if ! go test -run '^$' -fuzz "^${target}\$" -fuzztime "$fuzztime" -fuzzminimizetime 1s "./$(dirname "$file")" 2>&1 | tee "$log"; then
    only_out_of_time "$target" || exit 1
    echo "$target ran for its time and found nothing: Go's fuzzer took the end of it for a failure"
  fi
  count=$((count + 1))
done < <(git ls-files -co --exclude-standard '*_test.go' |
  xargs grep -oE '^func Fuzz[A-Za-z0-9_]*' /dev/null | sed 's/:func /:/')
echo "$count fuzz targets ran for $fuzztime each"

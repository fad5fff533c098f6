#!/usr/bin/env bash
# Builds the program twice, each time in a folder of its own and from nothing,
# and fails unless both are the same, byte for byte (requirements LOG-10). The
# sources are the committed ones.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
for copy in one other/much/deeper; do
  mkdir -p "$work/$copy"
  git archive HEAD | tar -x -C "$work/$copy"
  (cd "$work/$copy" && GOCACHE="$work/cache-${copy%%/*}" CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -buildvcs=false -o "$work/${copy%%/*}.bin" .)
done
cmp "$work/one.bin" "$work/other.bin"
echo "the same twice: $(sha256sum <"$work/one.bin" | cut -d' ' -f1)"

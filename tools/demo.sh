#!/usr/bin/env bash
# Builds cssrun, converts the network that ships with it and classifies its pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh
echo "Building ..."
cmake --preset release -DCSSRUN_TESTS=OFF -DCSSRUN_BENCH=OFF >/dev/null
cmake --build --preset release -- --quiet

programs=build/release/tools
demo=tools/demo
out=build/demo
mkdir -p "$out"

show() { printf '\n$ %s\n' "$*"; "$@"; }
show "$programs/cssconvert" "$demo/digits.onnx" -o "$out/digits.fb" \
  --calibration "$demo/calibration" --validate "$demo/test" \
  --labels "$demo/labels.txt" --mean 0.5 --std 0.25
show "$programs/cssrun" "$out/digits.fb" "$demo/test" --profile --summary "$out/summary.json" \
  >"$out/answers.txt"
printf '\nThe answers are in %s; the first ones:\n' "$out/answers.txt"
grep -v '^\$' "$out/answers.txt" | grep . | head -n 5

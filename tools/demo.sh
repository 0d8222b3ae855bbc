#!/usr/bin/env bash
# Builds cssrun, converts the network that ships with it and classifies its pictures.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh
echo "Building ..."
cmake --preset release >/dev/null
cmake --build --preset release --target cssconvert cssrun cssinspect -- --quiet

programs=build/release/tools
demo=tools/demo
out=build/demo
mkdir -p "$out"

show() { printf '\n$ %s\n' "$*"; "$@"; }
show "$programs/cssconvert" "$demo/digits.onnx" -o "$out/digits.fb" \
  --calibration "$demo/calibration" --validate "$demo/test" \
  --labels "$demo/labels.txt" --mean 0.5 --std 0.25 \
  --report "$out/report.json"
show "$programs/cssrun" "$out/digits.fb" "$demo/test" --profile --summary "$out/summary.json" \
  >"$out/answers.txt"
printf '\nThe answers are in %s; the first ones:\n' "$out/answers.txt"
awk '!/^[$]/ && NF > 0 && ++n <= 5' "$out/answers.txt"

# The last number of the name in a JSON file: of the validation images, not of the calibration's.
number() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$2" | tail -n 1; }
awk -v ann="$(number ann_top1 "$out/report.json")" -v snn="$(number top1 "$out/summary.json")" \
  -v spikes="$(number spikes_per_image "$out/summary.json")" \
  -v synops="$(number synops_per_image "$out/summary.json")" \
  -v speed="$(number images_per_second "$out/summary.json")" 'BEGIN {
    printf "\nANN %.1f %% right, SNN %.1f %% right; %.0f spikes and %.1f M SyOPs an image; ",
      ann * 100, snn * 100, spikes, synops / 1e6
    printf "%.0f images/s\n", speed }'

#!/usr/bin/env bash
# Prints the tables of docs/results.md on whole networks: ours against the dense ANN, and threads.
#
#   bench/networks.sh SHARED     a folder with models/*.onnx and cifar10/{calibration,test}
set -euo pipefail
shared=$(realpath "${1:?a folder with models/ and cifar10/}")
cd "$(dirname "$0")/.."
build=build/release
networks=build/networks
mkdir -p "$networks"

echo "| network | T, beta, L, threshold | M SyOPs | SNN ms | dense ms (batch 16) | ratio (batch 16) | GSyOP/s |"
echo "|---|---|---|---|---|---|---|"
for row in \
  "resnet20 5 2 2 0.667" "resnet20 6 2 2 0.667" "resnet20 12 1.5 2 0.7" \
  "vgg16slim 4 2 1 0.5" "vgg16slim 6 2 2 0.667" "vgg16slim 12 1.5 2 0.7"; do
  read -r name steps beta silent threshold <<<"$row"
  file="$networks/$name-$steps.fb"
  "$build/tools/cssconvert" "$shared/models/$name.onnx" -o "$file" \
    --calibration "$shared/cifar10/calibration" \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 \
    --timesteps "$steps" --beta "$beta" --silent "$silent" --threshold "$threshold" 2>/dev/null
  OMP_NUM_THREADS=1 taskset -c 1 "$build/bench/bench_networks" \
    "$shared/models/$name.onnx" "$file" "$shared/cifar10/test" 5 |
    tr -d '{}",' | awk -v name="$name" -v code="$steps, $beta, $silent, $threshold" '{
      for (i = 1; i < NF; i += 2) value[$i] = $(i + 1)
      printf "| %s | %s | %.1f | %.2f | %.2f (%.2f) | %.2f (%.2f) | %.0f |\n", name, code,
        value["synops:"] / 1e6, value["snn_ms:"], value["dense_ms:"], value["dense_batch16_ms:"],
        value["ratio:"], value["ratio_batch16:"], value["gsyops:"] }'
done

echo
echo "resnet20, T = 5, 1000 images:"
for options in "--threads 1 --engine float" "--threads 1" "--threads 2"; do
  # shellcheck disable=SC2086
  echo "    $options: $("$build/tools/cssrun" "$networks/resnet20-5.fb" "$shared/cifar10/test" \
    $options 2>&1 >/dev/null | head -n 1)"
done

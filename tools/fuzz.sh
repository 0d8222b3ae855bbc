#!/usr/bin/env bash
# Fuzzes: tools/fuzz.sh TARGET SECONDS [libFuzzer options]. Targets, files of tests/fuzz: network_load
# network_run onnx_import nir_import nir_tree image_decode recording text_input c_api; or `all`, one
# after the other.
# What is found is left in build/fuzz/findings/TARGET; it belongs into tests/fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = all ] && [ $# -ge 2 ]; then
  shift
  for target in network_load network_run onnx_import nir_import nir_tree image_decode recording \
    text_input c_api; do
    tools/fuzz.sh "$target" "$@"
  done
  exit
fi
if [ $# -lt 2 ] || [ ! -f "tests/fuzz/$1.cc" ]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
target=$1 seconds=$2
shift 2
command -v clang++-14 >/dev/null ||
  { echo "apt-get install clang-14 libclang-rt-14-dev" >&2; exit 1; }
[ -f build/fuzz/CMakeCache.txt ] || cmake --preset fuzz -DCSSRUN_TESTS=ON >/dev/null
cmake --build --preset fuzz --target "fuzz_$target" make_fuzz_seeds -- --quiet

here=build/fuzz
mkdir -p "$here/corpus/$target" "$here/findings/$target" "tests/fuzz/corpus/$target"
"$here/tests/fuzz/make_fuzz_seeds" "$here/seeds"
options=(-max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=512
  -max_len=16384 -print_final_stats=1 -artifact_prefix="$here/findings/$target/")
dictionary=tests/fuzz/dictionaries/$target.dict
[ -f "$dictionary" ] && options+=(-dict="$dictionary")
export OMP_NUM_THREADS=1
exec "$here/tests/fuzz/fuzz_$target" "${options[@]}" "$@" \
  "$here/corpus/$target" "$here/seeds/$target" "tests/fuzz/corpus/$target"

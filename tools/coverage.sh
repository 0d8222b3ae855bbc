#!/usr/bin/env bash
# Lines of format/ and the converter's import that the tests run: tools/coverage.sh [CTEST OPTIONS]
# Fails where one of the two is below 95 %. Builds in build/coverage, without optimization.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake -S . -B build/coverage -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCSSRUN_BENCH=OFF \
  -DCSSRUN_INSTALL=OFF -DCMAKE_CXX_FLAGS=--coverage ${COVERAGE_CMAKE_OPTIONS:-} >/dev/null
targets=(format_tests converter_tests network_mutants network_bytes fuzz_network_load fuzz_onnx_import
  make_fuzz_seeds)
cmake --build build/coverage --target "${targets[@]}" cssconvert -- --quiet
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage --parallel "$(nproc)" "$@" \
  -R 'Network|Files|Onnx|BadModel|Fuzz\.(seeds|network_load|network_mutants|onnx_import)|Passes|Fold|Follow|Infer|Support|Quantization|Opsets' \
  >build/coverage/ctest.log || { tail -30 build/coverage/ctest.log >&2; exit 1; }

# summary TITLE MINIMUM FILE...: lines run of the lines there are.
summary() {
  local title=$1 minimum=$2
  shift 2
  for source in "$@"; do
    object=$(find build/coverage -path "*/$(basename "$(dirname "$source")")*" \
      -name "$(basename "$source").gcda" | head -n 1)
    [ -n "$object" ] || object=$(find build/coverage -name "$(basename "$source").gcda" | head -n 1)
    gcov -n -r -s "$PWD" -o "$(dirname "$object")" "$object" 2>/dev/null |
      awk -v file="$source" '$1 == "File" { mine = index($0, "\x27" file "\x27") }
        mine && /^Lines executed/ { split($2, share, /[:%]/); print file, share[2], $4; exit }'
  done | awk -v title="$title" -v minimum="$minimum" '
    { printf "  %-45s %6.2f %% of %d lines\n", $1, $2, $3; run += $2 / 100 * $3; all += $3 }
    END { printf "%s: %.2f %% of %d lines\n", title, 100 * run / all, all
          exit !(100 * run / all >= minimum) }'
}
summary format 95 format/*.cc
summary import 95 converter/onnx_reader.cc converter/external_data.cc converter/graph.cc \
  converter/infer_shapes.cc converter/operator_attributes.cc converter/support.cc converter/passes/*.cc

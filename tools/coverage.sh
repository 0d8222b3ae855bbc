#!/usr/bin/env bash
# Lines of format/ and the converter's import that the tests run: tools/coverage.sh
# Fails where one of the two is below 95 %. Builds in build/coverage, a few minutes; options for CMake may
# stand in $COVERAGE_CMAKE_OPTIONS. Which lines: (cd build/coverage; gcov -t */CMakeFiles/*/FILE.gcda).
set -euo pipefail
cd "$(dirname "$0")/.."
minimum=95

# Every line counts without optimization, and one instruction set is enough.
cmake -S . -B build/coverage -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCSSRUN_TESTS=ON -DCSSRUN_BENCH=OFF \
  -DCSSRUN_INSTALL=OFF -DCMAKE_CXX_FLAGS="--coverage -DHWY_COMPILE_ONLY_STATIC" \
  ${COVERAGE_CMAKE_OPTIONS:-} >/dev/null
forget() { find build/coverage -name '*.gcda' -delete; }
forget  # what older code counted, and then what listing the tests does
cmake --build build/coverage --target format_tests converter_tests -- --quiet
forget
# What other tests run of it, such as those of the programs, comes on top.
for tests in format_tests converter_tests; do
  build/coverage/tests/$tests --gtest_brief=1 >build/coverage/log ||
    { tail -30 build/coverage/log >&2; exit 1; }
done

# summary TITLE FILE...: lines run of the lines there are, of each file and of all.
summary() {
  local title=$1 source counters
  shift
  for source in "$@"; do
    # A source file is compiled once, into its library; one that no test reaches has no counters.
    counters=$(find "build/coverage/${source%%/*}" -path "*.dir/${source#*/}.gcda")
    [ -n "$counters" ] || { echo "$source 0 $(grep -c . "$source")"; continue; }
    (cd build/coverage && gcov -n "../../$counters" 2>/dev/null) |
      awk -v file="$source" '/^File/ { mine = index($0, "/" file "\x27") }
        mine && /^Lines executed/ { split($2, share, /[:%]/); print file, share[2], $4; mine = 0 }'
  done | awk -v title="$title" -v minimum="$minimum" '
    { printf "  %-45s %6.2f %% of %d lines\n", $1, $2, $3; run += $2 / 100 * $3; all += $3 }
    END { printf "%s: %.2f %% of %d lines\n", title, 100 * run / all, all
          exit !(100 * run / all >= minimum) }'
}
failed=0
summary format format/*.cc || failed=1
summary import converter/{onnx_reader,external_data,graph,infer_shapes,operator_attributes,support}.cc \
  converter/passes/*.cc || failed=1
exit $failed

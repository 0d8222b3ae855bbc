#!/usr/bin/env bash
# Builds everything and runs every test: tools/test.sh [--fast] [options for ctest]
# --fast builds and runs only the tests labelled fast, which take less than two minutes on two cores.
# At the end stands which tests were skipped, and why. Only the absence of ../shared is a reason; after any
# other the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
if [ "${1:-}" = --fast ]; then
  preset=fast
  shift
fi

# Not needed to build or run: MPI for runs on many machines, FFmpeg's libraries for videos (without
# libavdevice, for cameras, which would bring twice as much along), a parser for the report, a checker of
# the Python stubs.
tools/install_packages.sh libopenmpi-dev openmpi-bin libavformat-dev libavcodec-dev libswscale-dev \
  libxml2-utils mypy
# Whatever was configured in build/release before, such as by demo.sh, this sets every option.
cmake --preset tests >/dev/null
cmake --build --preset $preset --parallel "$(nproc)" -- --quiet

results=$PWD/build/release/test_results.xml
rm -f "$results"
status=0
ctest --preset $preset --parallel "$(nproc)" --output-junit "$results" --test-output-size-passed 20000 \
  "$@" || status=$?
# ctest -N and the like run no tests.
[ -f "$results" ] || exit $status
tests/skipped/list_skipped.py "$results" ../shared || status=1
exit $status

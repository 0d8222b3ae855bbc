#!/usr/bin/env bash
# Builds everything and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."

# Not needed to build or run: MPI for runs on many machines, a parser for the report.
tools/install_packages.sh libopenmpi-dev openmpi-bin libxml2-utils
# Debian's Python, since the packages are.
cmake --preset release -DCSSRUN_TESTS=ON -DCSSRUN_BENCH=ON -DCSSRUN_PYTHON=ON \
  -DPython_EXECUTABLE=/usr/bin/python3 >/dev/null
cmake --build --preset release -- --quiet
ctest --preset release --parallel "$(nproc)" "$@"

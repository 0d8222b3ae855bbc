#!/usr/bin/env bash
# Installs the Debian packages that building and testing cssrun needs, and those that are named, where
# they are missing.
# Run by demo.sh and test.sh; needs root or sudo only when something is missing.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libtbb-dev libhwy-dev libflatbuffers-dev flatbuffers-compiler       # the runtime
  libonnx-dev libprotobuf-dev protobuf-compiler libdnnl-dev libmd-dev libhdf5-dev # the converter
  libcli11-dev libfmt-dev nlohmann-json3-dev libjpeg-dev libturbojpeg0-dev libpng-dev libwebp-dev liblz4-dev # the programs
  libgtest-dev libbenchmark-dev                                       # tests and benchmarks
  python3-dev pybind11-dev python3-numpy                              # the Python module
  python3-pytest python3-pil python3-pip python3-setuptools python3-wheel # its tests
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run this as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

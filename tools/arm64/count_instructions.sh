#!/usr/bin/env bash
# Prints how many instructions a 64-bit ARM core takes for an image of a network, by function, as qemu's emulator
# counts them:
#
#     tools/arm64/count_instructions.sh NETWORK IMAGES [CORE]
#
# Loading is left out: what one run over the images takes is subtracted from what two runs over them take. Needs
# what tools/arm64/test.sh builds.
set -euo pipefail
network=$(realpath "$1")
images=$(realpath "$2")
core=${3:-cortex-a72}
cd "$(dirname "$0")/../.."
out=$PWD/build/arm64
[ -x "$out/build/tools/cssrun" ] || {
  echo "count_instructions.sh: $out/build/tools/cssrun: missing; run tools/arm64/test.sh --no-tests" >&2
  exit 2
}
tools/install_packages.sh qemu-user
gcc -O2 -Wall -Wextra -fPIC -shared -fvisibility=hidden tools/arm64/count_instructions.c -o "$out/count.so"

# count FILE [IMAGES]...
count() {
  qemu-aarch64 -cpu "$core" -L "$out/root" -plugin "$out/count.so,out=$1" "$out/build/tools/cssrun" "$network" \
    "${@:2}" --threads 1 --format jsonl 2>"$out/count.log" || { cat "$out/count.log" >&2; exit 1; }
}
answers=$(count "$out/once" "$images" | wc -l)
count "$out/twice" "$images" "$images" >/dev/null
awk -v images="$answers" '
  FNR == NR { once[substr($0, index($0, " ") + 1)] = $1; next }
  { name = substr($0, index($0, " ") + 1)
    each = ($1 - once[name]) / images
    all += each
    if (each >= 1000) printf "%10.0f %s\n", each, name }
  END { printf "%10.0f instructions an image, of which:\n", all }' "$out/once" "$out/twice" |
  sort -rn | c++filt | sed -E 's/cssrun::internal::(N_NEON::)?//g; s/\(anonymous namespace\):://g; s/([^ ])\(.*/\1/' | head -n 16

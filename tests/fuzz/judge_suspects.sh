#!/usr/bin/env bash
# Judges NIR files that nir_files has left: tests/fuzz/judge_suspects.sh CSSCONVERT FILE...
#
# Reads each as cssconvert does, under valgrind. The first access to memory that is not allocated must
# be one of HDF5's library: cssconvert reads files in a process of their own because of these. A file
# without any is ours to explain. Exit codes: 0 HDF5's, all of them; 1 a file is not; 2 usage.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "valgrind is missing: apt-get install valgrind" >&2; exit 2; }
converter=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for file; do
  cp "$file" "$work/suspect.nir"
  valgrind --trace-children=yes --log-file="$work/log" "$converter" "$work/suspect.nir" \
    -o "$work/net.fb" >"$work/out" 2>&1 || true
  # The first frame of the first report that is in neither valgrind nor the C library.
  frame=$(grep -E '^==[0-9]+==    (at|by) ' "$work/log" | grep -vE 'valgrind/|libc\.so' | head -n 1 || true)
  case $frame in
    *libhdf5*) echo "$file: HDF5's library: ${frame##*: }" ;;
    *) echo "$file: not HDF5's library: ${frame:-no report}" >&2; status=1 ;;
  esac
done
exit $status

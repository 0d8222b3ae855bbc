#!/usr/bin/env bash
# HDF5's library fails, as hdf5_faults.c makes it:
#   hdf5_faults.sh CSSCONVERT FUZZ_NIR_IMPORT NIR_FILES MODULE SOUND.nir
# cssconvert must refuse such a file, and the programs that damage files must know the library's
# mistakes from ours.
set -euo pipefail

cssconvert=$(realpath "$1") fuzz_nir_import=$(realpath "$2") nir_files=$(realpath "$3")
module=$(realpath "$4") sound=$(realpath "$5")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # where failed_input is left
fail() { echo "$*" >&2; cat out >&2; exit 1; }

cp "$sound" sound.nir
for fault in crash free loop exit call; do
  { cat "$sound"; printf 'HDF5_FAULT=%s' $fault; } >$fault.nir
done

export LD_PRELOAD=$module
"$cssconvert" sound.nir -o sound.fb >out 2>&1 || fail "the sound file is not converted"
for fault in crash free loop exit call; do
  if "$cssconvert" $fault.nir -o $fault.fb >out 2>&1; then fail "$fault: converted"; fi
  grep -q "^cssconvert: $fault.nir: damaged HDF5 file, on which HDF5's library fails" out ||
    fail "$fault: said otherwise"
  [ ! -e $fault.fb ] || fail "$fault: something is written"
done

"$fuzz_nir_import" --seconds 0 sound.nir crash.nir free.nir loop.nir exit.nir >out 2>&1 ||
  fail "fuzz_nir_import: the library's mistakes are taken for ours"
if "$fuzz_nir_import" --seconds 0 call.nir >out 2>&1; then
  fail "fuzz_nir_import: our mistake is taken for the library's"
fi
grep -q "the library failed, not our code" out || fail "fuzz_nir_import: ended otherwise"

"$nir_files" 0 1 sound.nir crash.nir free.nir loop.nir exit.nir sound.nir >out 2>&1 ||
  fail "nir_files: the library's mistakes are taken for ours"
grep -q "^6 files: 2 converted, 0 refused, and 4 on which HDF5's library failed, 1 of" out ||
  fail "nir_files: counted otherwise"
if "$nir_files" 0 1 sound.nir call.nir >out 2>&1; then
  fail "nir_files: our mistake is taken for the library's"
fi
grep -q "^see suspect1" out && cmp suspect1 call.nir || fail "nir_files: the input is not kept"
echo "6 files, 3 programs"

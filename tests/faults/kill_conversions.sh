#!/usr/bin/env bash
# Kills conversions at random moments: kill_conversions.sh CSSCONVERT DEMO_FOLDER COUNT
# What the output names afterwards is the old file or the complete new one, never anything else.
set -euo pipefail

cssconvert=$1 demo=$2 count=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/images"
cp "$demo"/calibration/*/00[01]*.jpg "$folder/images"
convert=("$cssconvert" "$demo/digits.onnx" --calibration "$folder/images" --threads 1
  --mean 0.5 --std 0.25 -o)

start=$(date +%s%N)
"${convert[@]}" "$folder/new.fb" 2>/dev/null
milliseconds=$((($(date +%s%N) - start) / 1000000 + 1))
new=$(sha256sum <"$folder/new.fb")
printf 'the old file' >"$folder/old"
old=$(sha256sum <"$folder/old")

olds=0 news=0 killed=0
for ((i = 0; i < count; i++)); do
  cp "$folder/old" "$folder/net.fb"
  "${convert[@]}" "$folder/net.fb" 2>/dev/null &
  # Up to a tenth beyond the usual time, so that some end by themselves and many die at the end.
  wait_ms=$((RANDOM * 32768 + RANDOM))
  wait_ms=$((wait_ms % (milliseconds * 11 / 10)))
  sleep "$((wait_ms / 1000)).$(printf %03d $((wait_ms % 1000)))"
  if kill -9 $! 2>/dev/null; then killed=$((killed + 1)); fi
  wait $! 2>/dev/null || true
  found=$(sha256sum <"$folder/net.fb")
  if [ "$found" = "$old" ]; then
    olds=$((olds + 1))
  elif [ "$found" = "$new" ]; then
    news=$((news + 1))
  else
    echo "conversion $i left something else in net.fb" >&2
    exit 1
  fi
done
echo "$count conversions, $killed killed: $olds left the old file, $news the new one"
[ $((olds + news)) -eq "$count" ]

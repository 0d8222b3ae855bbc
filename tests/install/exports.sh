#!/usr/bin/env bash
# The shared library shows the functions of c.h, and of C++ names those of namespace cssrun outside of
# internal: exports.sh LIBRARY HEADER
set -euo pipefail
library=$1 header=$2

shown=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | c++filt | sort -u)
c_shown=$(grep -v '[:(]' <<<"$shown")
c_declared=$(grep -o 'cssrun_[a-z_]*(' "$header" | tr -d '(' | sort -u)
diff <(echo "$c_declared") <(echo "$c_shown") || {
  echo "the C functions that c.h declares (<) are not those of $library (>)" >&2
  exit 1
}
if grep '[:(]' <<<"$shown" | grep -vE '^cssrun::(Network|Session|Stream|EventSession)(::|$)|^cssrun::[A-Za-z]+\('; then
  echo "these should be hidden" >&2
  exit 1
fi
grep -q '^cssrun::Network::Load(' <<<"$shown"
needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -E 'onnx|protobuf|dnnl|png|jpeg|fmt' <<<"$needed"; then
  echo "the runtime must not need these" >&2
  exit 1
fi
readelf -d "$library" | grep -c >/dev/null 'SONAME.*\[libcssrun\.so\.0\]'
echo "$(wc -l <<<"$shown") symbols; needs" $needed

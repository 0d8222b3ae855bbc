#!/usr/bin/env bash
# Runs one file of tests with pytest: run.sh PYTHON FILE. 77, skipped, where pytest or NumPy is missing.
set -euo pipefail
python=$1 file=$2
"$python" -c 'import numpy, pytest' 2>/dev/null || {
  echo "$python has no pytest or NumPy: apt-get install python3-pytest python3-numpy"
  exit 77
}
exec "$python" -m pytest -q --rootdir "$(dirname "$file")" "$file"

#!/usr/bin/env bash
# Whether programs and libraries are built as hardened as they should be: hardening.sh FILE...
set -euo pipefail

bad=0
complain() {
  echo "$1: $2" >&2
  bad=1
}
for file in "$@"; do
  headers=$(readelf --wide --file-header --program-headers --dynamic "$file")
  symbols=$(readelf --wide --dyn-syms "$file")
  grep -q 'Type: *DYN' <<<"$headers" || complain "$file" "not position independent"
  grep -q 'GNU_RELRO' <<<"$headers" || complain "$file" "no RELRO"
  grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$headers" || complain "$file" "symbols are bound lazily"
  grep -qE 'GNU_STACK.* RW ' <<<"$headers" || complain "$file" "the stack is executable"
  grep -q '__stack_chk_fail' <<<"$symbols" || complain "$file" "no stack protector"
  case $file in
    *.so*) ;;
    *)
      grep -q 'glibcxx_assert_fail' <<<"$symbols" || complain "$file" "no _GLIBCXX_ASSERTIONS"
      grep -qE '__[a-z]+_chk' <<<"$symbols" || complain "$file" "no _FORTIFY_SOURCE"
      ;;
  esac
done
exit $bad

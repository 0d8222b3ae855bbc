#!/usr/bin/env bash
# The man page and the completions of a program tell of every option that its --help does:
# manual.sh PROGRAM FOLDER
set -euo pipefail
program=$1 folder=$2
name=$(basename "$program")
fail() { echo "$*" >&2; exit 1; }

options=$("$program" --help | sed -n '/^Examples:/,$d; s/^  \(-[^ ]*\).*/\1/p' | tr , '\n')
[ "$(wc -l <<<"$options")" -ge 4 ] || fail "no options in $name --help"

# What bash itself offers after the name of the program.
offered() {
  bash -c 'source "$1"; COMP_WORDS=("$2" "$3"); COMP_CWORD=1
           "$(complete -p "$2" | sed "s/.*-F \([^ ]*\).*/\1/")" && printf "%s\n" "${COMPREPLY[@]}"' \
    - "$folder/$name.bash" "$name" "$1"
}
[ "$(offered - | sort)" = "$(sort <<<"$options")" ] || fail "bash offers $(offered -)"
[ "$(offered --vers)" = --version ] || fail "bash offers $(offered --vers) for --vers"

page=$(sed 's/\\-/-/g; s/\\e/\\/g' "$folder/$name.1")
while read -r option; do
  grep -qE "^\.B (.*,)?$option([ ,]|$)" <<<"$page" || fail "$name.1 says nothing of $option"
  grep -qF -- "'$option[" "$folder/$name.zsh" || fail "zsh knows nothing of $option"
  case $option in
    --*) grep -q -- " -l ${option#--} " "$folder/$name.fish" || fail "fish: nothing of $option" ;;
    *) grep -q -- " -s ${option#-} " "$folder/$name.fish" || fail "fish: nothing of $option" ;;
  esac
done <<<"$options"
# Each option and positional has a description, and the examples are there.
awk '/^\.TP/ { getline; getline text; if (text == "" || text ~ /^\./) exit 1 }' <<<"$page" ||
  fail "$name.1 leaves an option without a description"
grep -q "^$name " <(sed -n '/^\.SH EXAMPLES/,$p' <<<"$page") || fail "$name.1 has no examples"

# Where they are installed, the shells' own opinion.
if command -v man >/dev/null; then
  [ -z "$(man --warnings -l "$folder/$name.1" 2>&1 >/dev/null)" ] || fail "man warns of $name.1"
fi
for shell in zsh fish; do
  if command -v $shell >/dev/null; then $shell -n "$folder/$name.$shell" || fail "$shell refuses"; fi
done
echo "$name: $(wc -l <<<"$options") options"

# Turns the text of `program --help` into a man page or a shell's completion, so that neither can say
# anything else than the program: awk -v program=cssrun -v version=0.1.0 -v form=man|bash|zsh|fish
#
# The help has a summary, "Usage: ...", sections of options ("Options:", 2 blanks, the option, its
# description beside it or below), and "Examples:", which ends with remarks.

function trim(text) {
  gsub(/^ +| +$/, "", text)
  return text
}

# Troff: a leading dot or quote would be a request, a hyphen typographic.
function troff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  return text ~ /^[.']/ ? "\\&" text : text
}

# An apostrophe within a shell's single quotes.
function quoted(text) {
  gsub(/'/, "'\\''", text)
  return text
}

function new_entry(text,    gap) {
  ++entries
  gap = match(substr(text, 3), /  +/)
  head[entries] = trim(gap ? substr(text, 3, gap) : text)
  description[entries] = gap ? trim(substr(text, gap + 3)) : ""
  section_of[entries] = section
}

NR == 1 { summary = $0; next }
/^Usage: / { usage = substr($0, 8); next }
/^Examples:$/ { examples = 1; next }
examples && /^ / { example_lines[++example_count] = substr($0, 3); next }
examples { remark = remark (remark == "" ? "" : " ") $0; next }
/^[^ ].*:$/ { section = substr($0, 1, length($0) - 1); next }
/^  [^ ]/ { new_entry($0); next }
/^   +[^ ]/ {
  description[entries] = trim(description[entries] " " trim($0))
}

function man_page(    i, previous) {
  print ".\\\" Made from " program " --help."
  print ".TH " toupper(program) " 1 \"\" \"" program " " version "\" \"User Commands\""
  print ".SH NAME"
  print program " \\- " troff(tolower(substr(summary, 1, 1)) substr(summary, 2, length(summary) - 2))
  print ".SH SYNOPSIS\n.B " troff(usage)
  print ".SH DESCRIPTION\n" troff(summary)
  for (i = 1; i <= entries; ++i) {
    if (section_of[i] != previous) {
      print ".SH " toupper(troff(section_of[i]))
      previous = section_of[i]
    }
    print ".TP\n.B " troff(head[i]) "\n" troff(description[i])
  }
  print ".SH EXAMPLES\n.nf"
  for (i = 1; i <= example_count; ++i) print troff(example_lines[i])
  print ".fi"
  if (remark != "") print ".SH NOTES\n" troff(remark)
}

# The spellings of an option, separated by blanks; nothing of a positional.
function spellings(entry,    first) {
  if (head[entry] !~ /^-/) return ""
  first = head[entry]
  sub(/ .*/, "", first)
  gsub(/,/, " ", first)
  return first
}

# Whether the option takes a value: then its type or its value's name follows.
function takes_value(entry) {
  return head[entry] ~ /^[^ ]+ [A-Z]+([ :=]|$)/
}

function bash_completion(    i, words) {
  for (i = 1; i <= entries; ++i) words = trim(words " " spellings(i))
  print "# Made from " program " --help."
  print "_" program "() {"
  print "  COMPREPLY=()"
  print "  local word=${COMP_WORDS[COMP_CWORD]}"
  print "  if [[ $word == -* ]]; then"
  print "    COMPREPLY=($(compgen -W '" words "' -- \"$word\"))"
  print "  fi"
  print "}"
  print "complete -o default -F _" program " " program
}

function zsh_completion(    i, j, n, names, text) {
  print "#compdef " program
  print "# Made from " program " --help."
  print "_arguments -S \\"
  for (i = 1; i <= entries; ++i) {
    n = split(spellings(i), names, " ")
    text = description[i]
    gsub(/\[|\]|:/, "\\\\&", text)
    for (j = 1; j <= n; ++j) {
      print "  '" names[j] "[" quoted(text) "]" (takes_value(i) ? ":value:_files" : "") "' \\"
    }
  }
  print "  '*:file:_files'"
}

function fish_completion(    i, j, n, names, line) {
  print "# Made from " program " --help."
  for (i = 1; i <= entries; ++i) {
    n = split(spellings(i), names, " ")
    if (n == 0) continue
    line = "complete -c " program
    for (j = 1; j <= n; ++j) {
      line = line (names[j] ~ /^--/ ? " -l " substr(names[j], 3) : " -s " substr(names[j], 2))
    }
    text = description[i]
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "\\'", text)
    print line (takes_value(i) ? " -r" : "") " -d '" text "'"
  }
}

END {
  if (summary == "" || usage == "" || entries == 0 || example_count == 0) {
    print "from_help.awk: this is no help text of ours" > "/dev/stderr"
    exit 1
  }
  if (form == "man") man_page()
  else if (form == "bash") bash_completion()
  else if (form == "zsh") zsh_completion()
  else if (form == "fish") fish_completion()
  else exit 1
}

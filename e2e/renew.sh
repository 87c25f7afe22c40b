#!/usr/bin/env bash
# Shows the log that comes on stdin on a terminal: how far a backfill is stays one line at the bottom that renews itself, everything
# else stays lines. `make run` sends stderr through it where that is a terminal. COLUMNS is the terminal's width.
#
# It ends with its input, and not with Ctrl-C: the engine must be able to log until its end.
set -uo pipefail
trap '' INT TERM HUP

width=${COLUMNS:-80}
((width > 1)) || width=80 # a terminal that does not know
progress= # the line at the bottom
while IFS= read -r line || [[ -n $line ]]; do
  [[ -z $progress ]] || printf '\033[K'
  case $line in
    *'] backfill: '*' %, at '* | *'] backfill: all is read '*)
      progress="backfill: ${line#*] backfill: }"
      progress=${progress:0:width - 1} # a longer one would wrap, and could not be taken back
      ;;
    *'] caught up at '*)
      progress=
      printf '%s\n' "$line"
      ;;
    *) printf '%s\n' "$line" ;;
  esac
  [[ -z $progress ]] || printf '%s\r' "$progress" # a record that comes to the same terminal is longer, and takes its place
done
[[ -z $progress ]] || printf '\n'

#!/bin/sh
# Runs a command with mpirun and kills one of its ranks in the middle of the work, that is, as soon as
# a file has lines: kill_rank.sh RANK FILE MPIRUN ... ; returns what mpirun returns.
rank=$1
results=$2
shift 2
"$@" &
mpirun=$!
while [ ! -s "$results" ] && kill -0 $mpirun 2>/dev/null; do sleep 0.02; done
for process in $(cat /proc/$mpirun/task/*/children); do
  if tr '\0' '\n' <"/proc/$process/environ" | grep -q "^OMPI_COMM_WORLD_RANK=$rank$"; then
    kill -KILL "$process" && echo "killed rank $rank" >&2
  fi
done
wait $mpirun

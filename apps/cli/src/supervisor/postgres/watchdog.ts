/**
 * Stands between the supervisor and PostgreSQL, which knows nothing of supervisors: a shell that holds the pipe (its stdin) and
 * PostgreSQL's process. A line in the pipe asks for a stop, however long the last checkpoint takes; the pipe's end means that the
 * supervisor is dead: stop fast, then at once, all within 4 s. Ends with PostgreSQL's exit code.
 *
 * A shell because it costs 1 MB where a node would cost 40. Called as `sh -c SCRIPT postgres-watchdog PROGRAM ARGUMENTS...`.
 */
export const WATCHDOG_SCRIPT = `
exec 5<&0 </dev/null
"$@" 5<&- &
server=$!
(
  gone() {
    i=0
    while [ "$i" -lt "$1" ]; do
      kill -0 "$server" 2>/dev/null || return 0
      sleep 0.1
      i=$((i + 1))
    done
    return 1
  }
  while read -r word; do kill -INT "$server" 2>/dev/null; done <&5
  exec 5<&-
  kill -INT "$server" 2>/dev/null
  gone 20 || kill -QUIT "$server" 2>/dev/null
  gone 10 || kill -KILL "$server" 2>/dev/null
) &
listener=$!
exec 5<&-
wait "$server"
code=$?
kill "$listener" 2>/dev/null
{ wait "$listener"; } 2>/dev/null
exit "$code"
`;

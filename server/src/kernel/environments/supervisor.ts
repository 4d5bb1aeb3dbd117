/**
 * The few lines of shell that every process of a user is started through. Descriptor 3 is a pipe that only the server holds open:
 * when it ends, because the server closed it or was killed in whatever way, the watcher ends the whole process group. The command
 * replaces the shell (same number, no process more), so the group's leader is the command itself.
 *
 * A shell and not Node or Python: a megabyte instead of forty, and there wherever a `sh -c` step runs at all.
 */
export const SUPERVISOR = `
grace=$1 cgroup=$2
shift 2
if [ -n "$cgroup" ]; then echo 0 > "$cgroup/cgroup.procs" || exit 125; fi
(
  trap '' TERM INT HUP QUIT PIPE
  exec < /dev/null > /dev/null 2>&1
  read -r _ <&3
  kill -s TERM -- "-$$"
  sleep "$grace"
  # What left the group is still in the control group, where there is one. The watcher is too: this is its last word.
  [ -z "$cgroup" ] || echo 1 > "$cgroup/cgroup.kill"
  kill -s KILL -- "-$$"
) &
exec 3<&-
exec "$@"
`

/** The command line that starts `args` under the supervisor. `grace_s`: between TERM and KILL after the server's death. */
export const supervised = (args: readonly string[], grace_s: number, cgroup = ''): string[] => [
  '-c',
  SUPERVISOR,
  'slipway',
  String(grace_s),
  cgroup,
  ...args,
]

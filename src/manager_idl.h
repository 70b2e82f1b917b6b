/* io.amphid.Manager in Varlink's interface definition language: what `varlinkctl introspect` shows. The text
 * is the contract with clients: fields and methods may be added, nothing is renamed or removed. */
#pragma once

#define MANAGER_IDL                                                                                                    \
    "# A running instance of amphid: what it runs, and the end of it.\n"                                               \
    "# Anybody may look and wait; only root and the owner of the daemon may change anything or read the output.\n"     \
    "interface io.amphid.Manager\n"                                                                                    \
    "\n"                                                                                                               \
    "# One job: a command that the instance runs and watches.\n"                                                       \
    "type Job(\n"                                                                                                      \
    "  # Its name, the instance's own where there is but one\n"                                                        \
    "  name: string,\n"                                                                                                \
    "  # inactive, start-pre, starting, start-post, up, reloading, stop, stop-watchdog, stopping, killing,\n"          \
    "  # stop-post, final-kill, auto-restart, done or failed\n"                                                        \
    "  state: string,\n"                                                                                               \
    "  # success or what went wrong, in the words of $SERVICE_RESULT, see systemd.exec(5)\n"                           \
    "  result: string,\n"                                                                                              \
    "  # The file of the unit, and its Description=\n"                                                                \
    "  path: ?string,\n"                                                                                              \
    "  description: ?string,\n"                                                                                       \
    "  # Its main process, if one runs\n"                                                                              \
    "  mainPid: ?int,\n"                                                                                               \
    "  # The identifier of its lines in the log\n"                                                                     \
    "  identifier: string,\n"                                                                                          \
    "  # The command line\n"                                                                                           \
    "  command: []string,\n"                                                                                           \
    "  # When the state changed last: microseconds since 1970, UTC\n"                                                  \
    "  since: int,\n"                                                                                                  \
    "  # What the command says of itself with STATUS=, see sd_notify(3)\n"                                             \
    "  statusText: ?string,\n"                                                                                         \
    "  # How the main process that ended last did so: exited, killed or dumped\n"                                      \
    "  exitCode: ?string,\n"                                                                                           \
    "  # Its exit status, or the number of the signal that ended it\n"                                                 \
    "  exitStatus: ?int,\n"                                                                                            \
    "  # And when: microseconds since 1970, UTC\n"                                                                     \
    "  exitTime: ?int,\n"                                                                                              \
    "  # How often it was started again\n"                                                                             \
    "  restarts: int,\n"                                                                                               \
    "  # In auto-restart: when it will be started again, microseconds since 1970, UTC\n"                               \
    "  nextStart: ?int,\n"                                                                                             \
    "  # Is it ready, as Ready= has it?\n"                                                                             \
    "  ready: bool,\n"                                                                                                 \
    "  # What is still waited for, and why that does not hold yet\n"                                                   \
    "  readiness: ?string,\n"                                                                                          \
    "  # Is it healthy? Without Health= that is the same as ready\n"                                                   \
    "  healthy: bool,\n"                                                                                               \
    "  # starting, healthy, unhealthy, or unknown while it is not up; null without Health=\n"                          \
    "  health: ?string,\n"                                                                                             \
    "  # Why the last check that failed did so\n"                                                                      \
    "  healthReason: ?string,\n"                                                                                       \
    "  # All its processes, the oldest first\n"                                                                        \
    "  pids: []int,\n"                                                                                                 \
    "  # Their memory in bytes\n"                                                                                      \
    "  memory: ?int,\n"                                                                                                \
    "  # Their CPU time in microseconds\n"                                                                             \
    "  cpuUSec: ?int,\n"                                                                                               \
    "  # Lines of output that were dropped, see LogOverflow= and LogRateLimitBurst=\n"                                 \
    "  droppedLines: int\n"                                                                                            \
    ")\n"                                                                                                              \
    "\n"                                                                                                               \
    "# The daemon process that answers here, with its jobs.\n"                                                         \
    "type Instance(\n"                                                                                                 \
    "  # Its name\n"                                                                                                   \
    "  name: string,\n"                                                                                                \
    "  # The job that it is there for, where there is one such: its end is the end of the instance\n"                 \
    "  main: ?string,\n"                                                                                              \
    "  # The daemon's process, not the command's\n"                                                                    \
    "  pid: int,\n"                                                                                                    \
    "  # The version of amphid that runs\n"                                                                            \
    "  version: string,\n"                                                                                             \
    "  # fork, foreground or systemd\n"                                                                                \
    "  mode: string,\n"                                                                                                \
    "  # Why it chose that mode\n"                                                                                     \
    "  reason: string,\n"                                                                                              \
    "  # The state of its job, see there; up or stopping where there is none\n"                                        \
    "  state: string,\n"                                                                                               \
    "  # The same in words\n"                                                                                          \
    "  statusText: string,\n"                                                                                          \
    "  # When it started: microseconds since 1970, UTC\n"                                                              \
    "  since: int,\n"                                                                                                  \
    "  # Where it logs to: journal, syslog, stderr, json or file:PATH\n"                                               \
    "  log: string,\n"                                                                                                 \
    "  # What it runs\n"                                                                                               \
    "  jobs: []Job\n"                                                                                                  \
    ")\n"                                                                                                              \
    "\n"                                                                                                               \
    "# What runs here, and how it is.\n"                                                                               \
    "method Status() -> (instance: Instance)\n"                                                                        \
    "\n"                                                                                                               \
    "# Stops a job, or the whole instance. Answers when that has happened, and nothing of it is left.\n"            \
    "method Stop(job: ?string) -> ()\n"                                                                                \
    "\n"                                                                                                               \
    "# Starts a job that has ended, or a unit, which is loaded if need be. Answers when it is up.\n"                                                          \
    "# The name may be left out where there is one job only.\n"                                                        \
    "method Start(job: ?string) -> ()\n"                                                                               \
    "\n"                                                                                                               \
    "# Stops a job and starts it again. Answers when it is up.\n"                                                      \
    "# The name may be left out where there is one job only.\n"                                                        \
    "method Restart(job: ?string) -> ()\n"                                                                             \
    "\n"                                                                                                               \
    "# Asks a job, or all of them, to read their configuration again. Answers when that is over; for all of several\n" \
    "# jobs, when they have been asked.\n"                                                                             \
    "method Reload(job: ?string) -> ()\n"                                                                              \
    "\n"                                                                                                               \
    "# Answers when a job is what is wanted: ready, healthy or stopped (the default). Without a name: when all of\n"   \
    "# them are; an instance that has none is waited for itself. What is told is the end of the first that failed.\n"  \
    "method Wait(job: ?string, for: ?string) -> (result: string, exitCode: ?string, exitStatus: ?int)\n"               \
    "\n"                                                                                                               \
    "# Is it ready (the default), healthy or stopped? If not, why.\n"                                                  \
    "method Check(job: ?string, for: ?string) -> (ok: bool, reason: ?string)\n"                                        \
    "\n"                                                                                                               \
    "# Begins a new log file: the old ones are moved up, or the file is opened again by its name.\n"                   \
    "method Rotate() -> ()\n"                                                                                          \
    "\n"                                                                                                               \
    "# The last lines of output (10, if no number is given) that are still in memory, each as\n"                       \
    "# TIME IDENTIFIER[PID]: LINE with a newline. Called with more, the reply continues: it follows the\n"             \
    "# output until the job ends. Who follows too slowly misses lines, and is told how many.\n"                        \
    "method Logs(job: ?string, lines: ?int) -> (text: string, dropped: ?int)\n"                                        \
    "\n"                                                                                                               \
    "# Reads the files of the units anew. What has not changed is left alone; a changed description counts from the next\n" \
    "# start of its unit.\n"                                                                                          \
    "method ReloadUnits() -> ()\n"                                                                                    \
    "\n"                                                                                                              \
    "# There is no job of that name.\n"                                                                                \
    "error NoSuchJob(job: string)\n"                                                                                   \
    "\n"                                                                                                               \
    "# It is not up, so that this cannot be done now.\n"                                                               \
    "error NotUp(state: string)\n"                                                                                     \
    "\n"                                                                                                               \
    "# It did not come up.\n"                                                                                          \
    "error StartFailed(result: string, reason: string, exitCode: ?string, exitStatus: ?int)\n"                         \
    "\n"                                                                                                               \
    "# It could not be reloaded, or did not survive it.\n"                                                             \
    "error ReloadFailed(state: string)\n"                                                                              \
    "\n"                                                                                                               \
    "# It has ended, and so will never be what was waited for.\n"                                                      \
    "error Ended(result: string, exitCode: ?string, exitStatus: ?int)\n"                                               \
    "\n"                                                                                                               \
    "# A unit of that name cannot be loaded.\n"                                                                       \
    "error NotLoaded(job: string, reason: string)\n"                                                                  \
    "\n"                                                                                                              \
    "# The unit does not want this to be asked for by hand: RefuseManualStart=, RefuseManualStop=.\n"                 \
    "error Refused(reason: string)\n"                                                                                 \
    "\n"                                                                                                              \
    "# There is no file to rotate, or no new one could be made.\n"                                                     \
    "error NotRotated(reason: string)\n"                                                                               \
    "\n"                                                                                                               \
    "# The output does not pass through the daemon.\n"                                                                 \
    "error LogElsewhere(log: string)\n"

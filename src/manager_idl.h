/* io.amphid.Manager in Varlink's interface definition language: what `varlinkctl introspect` shows. The text
 * is the contract with clients: fields and methods may be added, nothing is renamed or removed. */
#pragma once

#define MANAGER_IDL                                                                                          \
    "# A running instance of amphid: what it runs, and the end of it.\n"                                     \
    "# Anybody may look and wait; only root and the owner of the daemon may change anything.\n"              \
    "interface io.amphid.Manager\n"                                                                          \
    "\n"                                                                                                     \
    "# One job: a command that the instance runs and watches.\n"                                             \
    "type Job(\n"                                                                                            \
    "  # Its name, the instance's own where there is but one\n"                                              \
    "  name: string,\n"                                                                                      \
    "  # starting, up, reloading, stopping, killing, done or failed\n"                                       \
    "  state: string,\n"                                                                                     \
    "  # success or what went wrong, in the words of $SERVICE_RESULT, see systemd.exec(5)\n"                 \
    "  result: string,\n"                                                                                    \
    "  # Its main process, if one runs\n"                                                                    \
    "  mainPid: ?int,\n"                                                                                     \
    "  # The command line\n"                                                                                 \
    "  command: []string,\n"                                                                                 \
    "  # When the state changed last: microseconds since 1970, UTC\n"                                        \
    "  since: int,\n"                                                                                        \
    "  # What the command says of itself with STATUS=, see sd_notify(3)\n"                                   \
    "  statusText: ?string,\n"                                                                               \
    "  # How the main process ended: exited, killed or dumped\n"                                             \
    "  exitCode: ?string,\n"                                                                                 \
    "  # Its exit status, or the number of the signal that ended it\n"                                       \
    "  exitStatus: ?int\n"                                                                                   \
    ")\n"                                                                                                    \
    "\n"                                                                                                     \
    "# The daemon process that answers here, with its jobs.\n"                                               \
    "type Instance(\n"                                                                                       \
    "  # Its name\n"                                                                                         \
    "  name: string,\n"                                                                                      \
    "  # The daemon's process, not the command's\n"                                                          \
    "  pid: int,\n"                                                                                          \
    "  # The version of amphid that runs\n"                                                                  \
    "  version: string,\n"                                                                                   \
    "  # fork, foreground or systemd\n"                                                                      \
    "  mode: string,\n"                                                                                      \
    "  # Why it chose that mode\n"                                                                           \
    "  reason: string,\n"                                                                                    \
    "  # starting, up, reloading or stopping\n"                                                              \
    "  state: string,\n"                                                                                     \
    "  # The same in words\n"                                                                                \
    "  statusText: string,\n"                                                                                \
    "  # When it started: microseconds since 1970, UTC\n"                                                    \
    "  since: int,\n"                                                                                        \
    "  # Where it logs to: journal, syslog, stderr, json or file:PATH\n"                                     \
    "  log: string,\n"                                                                                       \
    "  # What it runs\n"                                                                                     \
    "  jobs: []Job\n"                                                                                        \
    ")\n"                                                                                                    \
    "\n"                                                                                                     \
    "# What runs here, and how it is.\n"                                                                     \
    "method Status() -> (instance: Instance)\n"                                                              \
    "\n"                                                                                                     \
    "# Stops a job, or the whole instance. Answers when that has happened.\n"                                \
    "method Stop(job: ?string) -> ()\n"                                                                      \
    "\n"                                                                                                     \
    "# Asks a job, or all of them, to read their configuration again.\n"                                     \
    "method Reload(job: ?string) -> ()\n"                                                                    \
    "\n"                                                                                                     \
    "# Answers when a job has ended. Without a name: when the last of them has, with the end of the first\n" \
    "# that failed; an instance that has none is waited for itself.\n"                                       \
    "method Wait(job: ?string) -> (result: string, exitCode: ?string, exitStatus: ?int)\n"                   \
    "\n"                                                                                                     \
    "# There is no job of that name.\n"                                                                      \
    "error NoSuchJob(job: string)\n"                                                                         \
    "\n"                                                                                                     \
    "# It is not up, so that this cannot be done now.\n"                                                     \
    "error NotUp(state: string)\n"

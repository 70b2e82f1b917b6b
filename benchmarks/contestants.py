"""The one table of contestants. {command}, {bin}, {dir} and {amphid} are filled in; {round} is the number of the round."""
import os
from typing import Callable, NamedTuple, Optional


def service_directory(where, command):
    """s6, runit and daemontools: a directory per service, with the program as run."""
    os.mkdir(f"{where}/job")
    os.symlink(command, f"{where}/job/run")


def supervisord_config(where, command):
    with open(f"{where}/conf", "w", encoding="utf-8") as file:
        file.write(f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={where}/pid\n"
                   f"childlogdir={where}\n[program:job]\ncommand={command}\nstdout_logfile=NONE\nstderr_logfile=NONE\n")


class Contestant(NamedTuple):
    name: str
    launch: Optional[str] = None      # leaves COMMAND running behind it
    supervise: Optional[str] = None   # what stays beside an idle COMMAND
    prepare: Callable = lambda where, command: None


AMPHID = "{amphid} --fork -n bench{round} -- {command}"
DAEMON = "/usr/bin/daemon -N -U -r -n bench -P {dir} -- {command}"
CONMON = ("/usr/bin/env BENCH_COMMAND={command} /usr/bin/conmon --runtime {bin}/runtime -c id -u uuid -n name -b {dir} "
          "-p {dir}/pid -P {dir}/conmon.pid -l k8s-file:{dir}/log --exit-dir {dir} --socket-dir-path {dir} --full-attach")

CONTESTANTS = [
    Contestant("true(1), no launcher", "/bin/true"),
    Contestant("floor, dynamic", "{bin}/floor {command}", "{bin}/floor {command}"),
    Contestant("floor, static", "{bin}/floor-static {command}", "{bin}/floor-static {command}"),
    Contestant("amphid", AMPHID, AMPHID),
    Contestant("setsid -f", "/usr/bin/setsid -f {command}"),
    Contestant("daemonize", "/usr/bin/daemonize {command}"),
    Contestant("start-stop-daemon", "/sbin/start-stop-daemon -S -b -m -p {dir}/pid -x {command}"),
    Contestant("daemon", "/usr/bin/daemon -N -U -- {command}", "/usr/bin/daemon -N -U -- {command}"),
    Contestant("daemon -r", DAEMON, DAEMON),
    Contestant("conmon", CONMON, CONMON),
    Contestant("tini", None, "/usr/bin/tini -s -- {command}"),
    Contestant("dumb-init", None, "/usr/bin/dumb-init {command}"),
    Contestant("s6", None, "/usr/bin/s6-svscan {dir}", service_directory),
    Contestant("runit", None, "/usr/bin/runsvdir -P {dir}", service_directory),
    Contestant("daemontools", None, "/usr/bin/svscan {dir}", service_directory),
    Contestant("supervisord", None, "/usr/bin/supervisord -c {dir}/conf", supervisord_config),
]

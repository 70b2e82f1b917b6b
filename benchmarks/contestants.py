"""The tables of contestants. {command}, {bin}, {dir} and {amphid} are filled in; {round} is the number of the round."""
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


def supervisord_keeping(where, command):
    supervisord_config(where, command)
    with open(f"{where}/conf", "a", encoding="utf-8") as file:
        file.write(f"autorestart=true\nstartsecs=0\n[unix_http_server]\nfile={where}/socket\n"
                   f"[supervisorctl]\nserverurl=unix://{where}/socket\n[rpcinterface:supervisor]\n"
                   "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n")


class Contestant(NamedTuple):
    name: str
    launch: Optional[str] = None      # leaves COMMAND running behind it
    supervise: Optional[str] = None   # what stays beside an idle COMMAND
    prepare: Callable = lambda where, command: None


class Keeper(NamedTuple):
    """Starts COMMAND again when it has ended."""
    name: str
    supervise: str
    stop: str                         # COMMAND is to end, and to stay so
    start: Optional[str] = None       # COMMAND is to run again; None: as at the beginning
    prepare: Callable = lambda where, command: None


AMPHID = "{amphid} --fork -n bench{round} -- {command}"
AMPHID_KEEPS = "{amphid} --fork -n kept{round} --restart=always -p RestartSec=0 -p StartLimitIntervalSec=0 -- {command}"
DAEMON = "/usr/bin/daemon -N -U -r -n bench -P {dir} -- {command}"
CONMON = ("/usr/bin/env BENCH_COMMAND={command} /usr/bin/conmon --runtime {bin}/runtime -c id -u uuid -n name -b {dir} "
          "-p {dir}/pid -P {dir}/conmon.pid -l k8s-file:{dir}/log --exit-dir {dir} --socket-dir-path {dir} --full-attach")

CONTESTANTS = [
    Contestant("true(1), no launcher", "/bin/true"),
    Contestant("floor, dynamic", "{bin}/floor {command}", "{bin}/floor {command}"),
    Contestant("floor, static", "{bin}/floor-static {command}", "{bin}/floor-static {command}"),
    Contestant("amphid", AMPHID, AMPHID),
    Contestant("amphid, restarting", None, AMPHID_KEEPS),
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

# daemon(1) may start at most 100 times without a pause, of a second then; its default are 5 and 300 seconds.
DAEMON_KEEPS = "/usr/bin/daemon -f -N -U -r --idiot -a 1 -A 100 -L 1 -n bench -P {dir} -- {command}"

KEEPERS = [
    Keeper("amphid", AMPHID_KEEPS, "{amphid} stop kept{round}"),
    Keeper("daemontools", "/usr/bin/svscan {dir}", "/usr/bin/svc -d {dir}/job", "/usr/bin/svc -u {dir}/job", service_directory),
    Keeper("runit", "/usr/bin/runsvdir -P {dir}", "/usr/bin/sv down {dir}/job", "/usr/bin/sv up {dir}/job", service_directory),
    Keeper("daemon -r", DAEMON_KEEPS, "/usr/bin/daemon -N --stop -n bench -P {dir}"),
    Keeper("s6", "/usr/bin/s6-svscan {dir}", "/usr/bin/s6-svc -wD -d {dir}/job", "/usr/bin/s6-svc -u {dir}/job", service_directory),
    Keeper("supervisord", "/usr/bin/supervisord -c {dir}/conf", "/usr/bin/supervisorctl -c {dir}/conf stop job",
           "/usr/bin/supervisorctl -c {dir}/conf start job", supervisord_keeping),
]

# With systemd's defaults: RestartSec=100ms, at most five starts in ten seconds.
AMPHID_AS_IT_COMES = Keeper("amphid, defaults", "{amphid} --fork -n usual{round} --restart=always -- {command}", "")

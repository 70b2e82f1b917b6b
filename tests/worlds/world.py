"""A world: one of the cached roots, booted for real under systemd-nspawn, and hands to work in it.

Each is in a cgroup of its own: nspawn makes its own two there, and the systemd of one world must not find the processes of
another in what it takes for its units. Else nothing of it outlives its nspawn process: the root is an overlay on tmpfs, mounted in a mount namespace that
only this process has, the network is its own, and nspawn gets SIGTERM when the test run dies, which it hands
to the world's init as SIGKILL. So there is nothing else to clean up that a failing (or killed) test could forget.
"""
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import roots
import waiting

MOUNT = '''set -e
mount -t tmpfs -o mode=0755 amphid-world "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" amphid-world "$1/root"
cd /; shift 2; exec "$@"
'''
ENV = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root',
       'LANG': 'C.UTF-8', 'TERM': 'dumb', 'DEBIAN_FRONTEND': 'noninteractive'}
HERE = Path(__file__).resolve().parent
HOST_CGROUPS = next((p for p in ('/sys/fs/cgroup/unified', '/sys/fs/cgroup') if os.path.exists(f'{p}/cgroup.procs')),
                    '')
ENTER = 'echo $$ > "$0"; exec "$@"'  # "$0" is a cgroup.procs


def cgroup_of(pid):
    """The directory of the cgroup of version 2 that @pid is in."""
    return Path(HOST_CGROUPS + re.search('^0::(.*)$', Path(f'/proc/{pid}/cgroup').read_text(), re.M)[1])


def remove_cgroup(path):
    """With those below it, when the last process in them is gone."""
    waiting.until(lambda: 'populated 0' in (path / 'cgroup.events').read_text(), f'the end of all in {path}')
    for below in sorted(path.glob('**/'), reverse=True):
        below.rmdir()


class Console:
    """What the world writes to its console: kept for the failure report, and lines can be waited for."""

    def __init__(self, pipe):
        self.lines, self.cond, self.ended = [], threading.Condition(), False
        self.thread = threading.Thread(target=self._drain, args=(pipe,), daemon=True)
        self.thread.start()

    def _drain(self, pipe):
        for line in pipe:
            with self.cond:
                self.lines.append(line.decode(errors='replace').rstrip())
                self.cond.notify_all()
        with self.cond:
            self.ended = True
            self.cond.notify_all()

    def wait(self, text, timeout):
        def there():
            return self.ended or any(text in line for line in self.lines)
        with self.cond:
            if not self.cond.wait_for(there, timeout) or not any(text in line for line in self.lines):
                raise waiting.Late(f'no "{text}" on the console:\n' + '\n'.join(self.lines[-30:]))


class World:
    """What all worlds have in common. Where they differ: inits.py."""

    init = None         # who starts services: 'systemd', 'sysvinit' (its scripts, whoever runs them) or None
    comm = 'sleep'      # the program of PID 1
    version = 0         # of systemd
    argv = ['--boot']   # what nspawn is to run
    nspawn_options = ()
    join = ()           # what a command is to run behind, to be in the world in every respect

    def __init__(self, name):
        self.name = name
        self.suite = roots.world_recipes()[name].suite
        self.proc = self.leader = self.dir = self.console = self.notify = self.cgroup = None
        self.boot_seconds = 0.0

    def __repr__(self):
        return self.name

    # Birth and death

    def boot(self, timeout=60.0):
        begin = time.monotonic()
        root = roots.make(roots.world_recipes()[self.name])
        self.dir = tempfile.mkdtemp(prefix='amphid-world-')
        os.mkdir(f'{self.dir}/mnt')
        self.notify = waiting.NotifySocket(f'{self.dir}/notify')
        nspawn = ['systemd-nspawn', '--quiet', '--register=no', '--private-network', '--console=read-only',
                  '--link-journal=no', '--resolv-conf=off', '--timezone=off', '--kill-signal=SIGKILL',
                  f'--machine=amphid-{self.name}-{os.getpid()}', f'--directory={self.dir}/mnt/root', *self.nspawn_options]
        if not os.path.isdir('/run/systemd/system'):
            nspawn.append('--keep-unit')  # nobody there who could make a scope for us
            self.cgroup = HOST_CGROUPS and cgroup_of('self') / os.path.basename(self.dir)
        enter = []
        if self.cgroup:
            self.cgroup.mkdir()
            enter = ['sh', '-c', ENTER, f'{self.cgroup}/cgroup.procs']
        if self.init == 'systemd':
            nspawn.append('--notify-ready=yes')
        self.proc = subprocess.Popen(
            [*enter, 'setpriv', '--pdeathsig', 'TERM', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c',
             MOUNT, 'sh', f'{self.dir}/mnt', str(root), *nspawn, *self.argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(ENV, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY='1', NOTIFY_SOCKET=self.notify.path))
        self.console = Console(self.proc.stdout)
        try:
            self.leader = int(self.notify.wait('X_NSPAWN_LEADER_PID', self.alive, timeout))
            self.wait_booted(timeout)
            self.notify.keep_drained()  # nspawn hands on what systemd says and blocks if nobody takes it
        except BaseException:
            self.off()
            raise
        self.boot_seconds = time.monotonic() - begin
        return self

    def wait_booted(self, timeout):
        raise NotImplementedError

    def alive(self):
        return self.proc.poll() is None

    def ask_poweroff(self):
        """Begins an orderly end. The bare world has none: whoever runs the container ends it."""
        self.proc.send_signal(signal.SIGTERM)

    def poweroff(self, timeout=30.0):
        """The orderly end. Returns the seconds it took."""
        begin = time.monotonic()
        self.ask_poweroff()
        try:
            self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise waiting.Late('no poweroff:\n' + '\n'.join(self.console.lines[-30:])) from None
        finally:
            self.off()
        return time.monotonic() - begin

    def off(self):
        """The end, whatever state the world is in."""
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:  # nspawn itself hangs: its parts, then
                if self.leader:
                    os.kill(self.leader, signal.SIGKILL)
                self.proc.kill()
                self.proc.wait()
        if self.console:
            self.console.thread.join(10)
            self.proc.stdout.close()
        if self.notify:
            self.notify.close()
        if self.cgroup:
            remove_cgroup(self.cgroup)
            self.cgroup = None
        if self.dir:
            shutil.rmtree(self.dir)
            self.dir = None

    # Hands

    def argv_in(self, argv, timeout, user=None):
        pre = [*self.join, 'nsenter', '-t', str(self.leader), '-a', 'setsid']
        if self.rights():
            pre += ['setpriv', *self.rights()]
        if user:
            uid = self.stat(f'/home/{user}').st_uid
            pre += ['setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups']
        # timeout(1) hands its end on to the command: also when nsenter, which we know, is killed.
        return [*pre, 'setpriv', '--pdeathsig', 'TERM', 'timeout', '-k', '2', str(timeout), *argv]

    def rights(self):
        """What setpriv(1) has to take away so that a command may do what the world's init may: nsenter(1) gives all."""
        return []

    def run(self, cmd, check=True, timeout=20, user=None, env=None, stdin=None, cwd=None):
        """Runs @cmd (a list, or a string for the shell) in the world. @check: exit 0, or that very status."""
        argv = ['sh', '-c', cmd] if isinstance(cmd, str) else [str(a) for a in cmd]
        if cwd:
            argv = ['env', '-C', cwd, *argv]
        full = dict(ENV, **({'HOME': f'/home/{user}', 'USER': user} if user else {}), **(env or {}))
        r = subprocess.run(self.argv_in(argv, timeout, user), text=True, env=full, timeout=timeout + 5,
                           capture_output=True, **({'input': stdin} if stdin else {'stdin': subprocess.DEVNULL}))
        if check is not False:
            want = 0 if check is True else check
            shown = cmd if isinstance(cmd, str) else shlex.join(argv)
            assert r.returncode == want, (f'[{self.name}] {shown}\nexit {r.returncode}, not {want}\n'
                                          f'stdout: {r.stdout}\nstderr: {r.stderr}')
        return r

    def spawn(self, argv, user=None, env=None, timeout=120, **kw):
        """Starts @argv in the world and returns its Popen, whose kill() ends the command with SIGTERM."""
        full = dict(ENV, **(env or {}))
        kw = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, **kw}
        return subprocess.Popen(self.argv_in([str(a) for a in argv], timeout, user), text=True, env=full, **kw)

    # Files: the world's root as the host sees it. Symbolic links that lead out of it are the caller's care.

    def path(self, p):
        return f'/proc/{self.leader}/root{p}'

    def exists(self, p):
        return os.path.lexists(self.path(p))

    def stat(self, p):
        return os.stat(self.path(p))

    def read(self, p):
        return Path(self.path(p)).read_text(errors='replace')

    def write(self, p, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(p)), exist_ok=True)
        Path(self.path(p)).write_text(text)
        os.chmod(self.path(p), mode)
        return p

    def put(self, source, p, mode=0o755):
        shutil.copyfile(source, self.path(p))
        os.chmod(self.path(p), mode)
        return p

    # Processes, by their PID in the world

    def status_of(self, pid):
        """Fields of /proc/PID/status, or None."""
        try:
            return dict(line.split(':\t', 1) for line in self.read(f'/proc/{pid}/status').splitlines() if ':\t' in line)
        except (FileNotFoundError, ProcessLookupError):
            return None

    def running(self, pid):
        status = self.status_of(pid)
        return bool(status) and status['State'][0] not in 'ZX'

    def identity(self, pid):
        """(ppid, pid, pgid, sid, tty_nr) from /proc/PID/stat."""
        rest = self.read(f'/proc/{pid}/stat').rpartition(')')[2].split()
        return int(rest[1]), int(pid), int(rest[2]), int(rest[3]), int(rest[4])

    def environ(self, pid):
        data = Path(self.path(f'/proc/{pid}/environ')).read_bytes()
        return dict(v.split('=', 1) for v in data.decode(errors='replace').split('\0') if '=' in v)

    def children(self, pid):
        return [int(p) for p in self.read(f'/proc/{pid}/task/{pid}/children').split()]

    def host_pid(self, pid):
        """The host's number of the world's process @pid, or None."""
        ns = os.readlink(f'/proc/{self.leader}/ns/pid')
        for p in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.readlink(f'/proc/{p}/ns/pid') == ns:
                    text = Path(f'/proc/{p}/status').read_text()
                    if int(re.search(r'^NSpid:.*\s(\d+)$', text, re.M)[1]) == int(pid):
                        return int(p)
            except OSError:
                pass
        return None

    def kill(self, pid, sig):
        host = self.host_pid(pid)
        if not host:
            raise ProcessLookupError(f'[{self.name}] there is no process {pid}')
        os.kill(host, sig)

    def wait_gone(self, pid, timeout=10.0):
        host = self.host_pid(pid)
        if host:
            waiting.gone(host, timeout)

    def connections(self, path):
        """How many are connected to the stream socket @path, which was perhaps renamed after its bind(2)."""
        lines = [line.split() for line in Path(f'/proc/{self.leader}/net/unix').read_text().splitlines()]
        return sum(1 for f in lines if f[-1] in (path, f'{path}.new') and f[5] == '03')

    # The package

    def install(self, deb, check=True):
        self.put(deb, '/var/cache/amphid.deb', 0o644)
        return self.run(['dpkg', '-i', '/var/cache/amphid.deb'], check=check, timeout=60)

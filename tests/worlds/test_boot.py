"""The harness itself: every world boots to what it claims to be, and ends."""
import os
import signal
import subprocess
import sys
from pathlib import Path

import inits
import waiting
from world import remove_cgroup

TEXT = 'name=x stage=ready ppid=1 pid=7 pgid=6 sid=6 tty=- it is up'
SEND = '''
import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.argv[1].encode(), '/run/systemd/journal/socket')
'''


def test_world_is_what_it_says(empty_world):
    w = empty_world
    assert w.read('/proc/1/comm').strip() == w.comm
    assert w.exists('/run/systemd/system') == (w.init == 'systemd')
    assert w.exists('/run/systemd/journal/socket') == (w.init == 'systemd')
    assert w.exists('/dev/log') == (w.init is not None)
    if w.version:
        first = w.run(['systemctl', '--version']).stdout.split()
        assert first[:2] == ['systemd', str(w.version)]
    assert w.run('exit 7', check=False).returncode == 7
    assert w.run(['id', '-un'], user='alice').stdout == 'alice\n'


def test_log_reaches_us(empty_world):
    """A line sent to the world's own log comes back through the same reader that the scenarios use."""
    w = empty_world
    if w.init is None:
        w.write('/var/log/amphid/x.log', f'2026-01-02T03:04:05.123456+00:00 amphid[7]: {TEXT}\n')
        got = w.records('x', until='ready')
        assert got[0]['pid'] == '7' and got[0]['message'] == 'it is up'
        return
    if w.init == 'systemd':
        fields = 'MESSAGE=it is up\nPRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=amphid\nAMPHID_NAME=x\n' \
                 'AMPHID_STAGE=ready\nAMPHID_PID=7\n'
        w.run(['python3', '-c', SEND, fields])
    else:
        w.run(['logger', '-p', 'daemon.info', '-t', 'amphid', '--id=7', TEXT])
    got = w.records('x', until='ready')
    assert (got[0]['pid'], got[0]['message']) == ('7', 'it is up')


def test_poweroff(empty_world):
    leader, directory = empty_world.leader, empty_world.dir
    empty_world.poweroff()
    assert not os.path.exists(f'/proc/{leader}') and not os.path.exists(directory)


def test_killed_run_leaves_nothing(world_name):
    """The test run is killed without a chance to clean up: the world ends, its mounts with it."""
    code = ('import os, sys; sys.path.insert(0, sys.argv[1]); import inits; w = inits.new(sys.argv[2]).boot(); '
            'print(w.leader, w.proc.pid, w.dir, w.cgroup or "", sep="\\n", flush=True); os.kill(os.getpid(), 9)')
    r = subprocess.run([sys.executable, '-c', code, str(Path(inits.__file__).parent), world_name],
                       capture_output=True, text=True)
    assert r.returncode == -signal.SIGKILL, r.stderr
    leader, nspawn, directory, cgroup = r.stdout.split('\n')[:4]
    waiting.gone(int(leader))
    waiting.gone(int(nspawn))
    assert directory not in Path('/proc/self/mounts').read_text()
    if cgroup:
        remove_cgroup(Path(cgroup))
    for name in ('mnt', 'notify'):
        path = Path(directory, name)
        path.rmdir() if path.is_dir() else path.unlink()
    os.rmdir(directory)

"""What a unit's process finds, started by systemd and by amphid in the same system: streams, environment, scheduling,
rights. Each case is a [Service] section; the process writes down what it is, and both must be the same."""
import difflib

import pytest


ONLY = ('systemd-247', 'systemd-252', 'systemd-257')

# Everything that systemd.exec(5) can change, as the process itself sees it; what differs by nature is left out.
PROBE = r'''#!/bin/bash
fds=
for i in /proc/$$/fd/*; do test -e "$i" && fds+=" ${i##*/}"; done
exec 9>>"/run/probes/$1"
{
env | grep -Ev '^(INVOCATION_ID|SYSTEMD_EXEC_PID|JOURNAL_STREAM|MEMORY_PRESSURE_[A-Z]*|_|SHLVL|PWD|OLDPWD)=' | sort
test "$SYSTEMD_EXEC_PID" = $$ && echo exec-pid
echo "invocation ${#INVOCATION_ID}"
grep -E '^(Uid|Gid|Groups|SigIgn|Cap.*|NoNewPrivs|Cpus_allowed_list|Umask):' /proc/$$/status
grep -E '^SigBlk:' /proc/self/status
cat /proc/$$/limits /proc/$$/oom_score_adj /proc/$$/coredump_filter /proc/$$/personality /proc/self/timerslack_ns
pwd; nice; chrt -p $$ | sed 's/.*: //'; ionice -p $$; uname -m
for i in 0 1 2; do readlink /proc/$$/fd/$i | sed 's/:.*//'; done
test "$(stat -Lc %i /proc/$$/fd/1)" = "$(stat -Lc %i /proc/$$/fd/2)" && echo one-output
echo "descriptors$fds"
test "$(ps -o pgid= -p $$)" -eq $$ && echo own-group
ps -o tty= -p $$
} >&9 2>&1
'''

CASES = {
    'plain': '',
    'user': 'User=games',
    'number': 'User=4711',
    'user-and-group': 'User=games\nGroup=daemon\nSupplementaryGroups=adm audio',
    'group': 'Group=daemon',
    'nobody': 'User=nobody',
    'root': 'User=root',
    'home': 'User=games\nWorkingDirectory=~',
    'directory': 'WorkingDirectory=/usr/share',
    'no-directory': 'WorkingDirectory=-/no/such',
    'environment': 'Environment=A=1 "B=x y" PATH=/bin:/usr/bin\nUnsetEnvironment=LANG A\nPassEnvironment=LANG NONE',
    'search-path': 'ExecSearchPath=/usr/games:/usr/bin',
    'umask': 'UMask=0027',
    'limits': 'LimitNOFILE=512:2048\nLimitCORE=0\nLimitNPROC=100\nLimitSTACK=infinity\nLimitNICE=+5\nLimitCPU=1min:2min\n'
              'LimitRTTIME=5s\nLimitMEMLOCK=64K',
    'limit-too-much': 'LimitNOFILE=infinity',
    'nice': 'Nice=7',
    'nice-less': 'Nice=-7\nUser=games',
    'batch': 'CPUSchedulingPolicy=batch',
    'idle': 'CPUSchedulingPolicy=idle',
    'fifo': 'CPUSchedulingPolicy=fifo\nCPUSchedulingPriority=3\nUser=games',
    'rr': 'CPUSchedulingPolicy=rr\nCPUSchedulingResetOnFork=yes',
    'affinity': 'CPUAffinity=0',
    'io-idle': 'IOSchedulingClass=idle',
    'io-priority': 'IOSchedulingPriority=6',
    'io-realtime': 'IOSchedulingClass=realtime',
    'io-none': 'IOSchedulingClass=none',
    'slack': 'TimerSlackNSec=1ms',
    'oom': 'OOMScoreAdjust=200',
    'coredump': 'CoredumpFilter=private-anonymous shared-dax',
    'sigpipe': 'IgnoreSIGPIPE=no',
    'personality': 'Personality=x86',
    'no-new-privileges': 'NoNewPrivileges=yes',
    'implied': 'LockPersonality=yes\nUser=games',
    'implied-root': 'LockPersonality=yes',
    'bounding': 'CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SETUID CAP_SETGID\nCapabilityBoundingSet=~CAP_KILL',
    'bounding-none': 'CapabilityBoundingSet=\nUser=games',
    'bounding-but': 'CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_NET_ADMIN',
    'ambient': 'User=games\nAmbientCapabilities=CAP_NET_BIND_SERVICE CAP_CHOWN',
    'ambient-bound': 'User=games\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n'
                     'NoNewPrivileges=yes',
    'ambient-root': 'AmbientCapabilities=CAP_CHOWN',
    'secure-bits': 'SecureBits=noroot',
    'keep-caps': 'SecureBits=keep-caps\nUser=games',
    'no-modules': 'ProtectKernelModules=yes\nProtectClock=yes\nProtectKernelLogs=yes',
    'null': 'StandardOutput=null',
    'null-error': 'StandardError=null',
    'inherit': 'StandardOutput=inherit',
    'file': 'StandardOutput=file:/run/probes/out\nStandardInput=file:/etc/passwd',
    'append': 'StandardOutput=append:/run/probes/out\nStandardError=append:/run/probes/out',
    'data': 'StandardInputText=hello',
    'tty': 'StandardInput=tty\nTTYPath=/dev/tty20',
    'login': 'SetLoginEnvironment=yes',
    'full': 'User=games\nCapabilityBoundingSet=CAP_CHOWN\nNoNewPrivileges=yes\nNice=3\n#+',
    'elevated': 'User=games\nCapabilityBoundingSet=CAP_CHOWN CAP_SETUID\nNoNewPrivileges=yes\n#!',
    'start-only': 'User=games\nCapabilityBoundingSet=CAP_CHOWN\nPermissionsStartOnly=yes\nExecStartPre=/usr/bin/probe pre',
}

# With what PID 1 passes on (limits, capabilities), but not as a service.
AMPHID = 'systemd-run --quiet --wait --pipe env -i PATH=/usr/bin:/bin amphid run --wait'

# Since which version systemd knows it.
# Debian 11's 247 has another shell for root, other priorities of its own for input and output, and knows no shared-dax.
SINCE = {'login': 254, 'search-path': 250, 'root': 248, 'io-realtime': 248, 'io-none': 248, 'coredump': 248}

# What newer ones say; amphid is as the newest. Older ones of Debian have /sbin and /bin in PATH where they are links.
LATER = {257: 'USER=root', 248: 'exec-pid'}

# Where amphid's answer is another one on purpose.
AGREED = {
    # stdout and stderr have each a stream of their own, and so each its level.
    # Without a cgroup (nobody delegates one to a shell) a unit's processes are known by a mark in a limit nobody enforces.
    '': ('one-output', 'Max file locks'),
    # A command with all rights has from systemd all the same the user's groups, what PID 1 can inherit, and its limit.
    'full': ('Groups:', 'CapInh:', 'Max open files', 'Max core file size'),
    'elevated': ('Groups:',),
    'start-only': ('Groups:', 'CapInh:', 'Max open files', 'Max core file size'),
    # Before 254 a system call filter for a user took new privileges away, too. Since then a trace of it is inheritable.
    'implied': ('NoNewPrivs:', 'CapInh:'),
}


@pytest.fixture(scope='module')
def booted(own_world):
    w = own_world
    w.write('/usr/bin/probe', PROBE, 0o755)
    for name, text in CASES.items():
        prefix = text.rpartition('\n#')[2] if '\n#' in text else ''
        w.write(f'/etc/systemd/system/probe-{name}.service',
                f'[Service]\nType=oneshot\nExecStart={prefix}/usr/bin/probe %p\n{text.partition(chr(10) + "#")[0]}\n')
    w.run(['systemctl', 'daemon-reload'], timeout=60)
    return w


def answers(w, start, name):
    """What the process has written, with the exit status of whoever started it."""
    w.run('rm -rf /run/probes; mkdir -m 1777 /run/probes')
    done = w.run(f'{start} probe-{name}.service </dev/null', check=False, timeout=60)
    lines = w.run(f'cat /run/probes/pre /run/probes/probe-{name}', check=False).stdout.splitlines()
    agreed = (*AGREED[''], *AGREED.get(name, ()), *(text for version, text in LATER.items() if w.version < version))
    return [line.removesuffix(':/sbin:/bin') for line in lines if not line.startswith(agreed)], done


@pytest.mark.parametrize('name', CASES)
def test_same_process(booted, name):
    if booted.version < SINCE.get(name, 0):
        pytest.skip(f'systemd {booted.version} does not know it, or does it in a way of its own')
    theirs, started = answers(booted, 'systemctl start', name)
    ours, done = answers(booted, AMPHID, name)
    assert started.returncode == 0 or not theirs, started.stderr
    differences = [line for line in difflib.ndiff(theirs, ours) if line[0] in '-+']
    assert not differences, '\n'.join(['systemd -, amphid +', *differences, done.stderr])
    assert (done.returncode == 0) == (started.returncode == 0)

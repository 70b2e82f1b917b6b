"""Packages of the system itself: logs, jobs at times, devices, a login prompt, and what only runs once."""
import waiting
from packages import Package, put, shell

JOB = '@reboot root echo ran > /run/cron-t\n'
NFT = '#!/usr/sbin/nft -f\nflush ruleset\ntable inet t {\n set s {\n  type ipv4_addr\n  elements = { 10.0.0.%d }\n }\n}\n'


def logged(w):
    """A line through /dev/log to the file."""
    mark = f'mark-{w.run("cat /proc/sys/kernel/random/uuid").stdout.strip()}'
    w.run(['logger', '--socket-errors=on', '-t', 't', mark])
    log = w.path('/var/log/syslog')
    waiting.until_file(log, lambda: mark in w.read('/var/log/syslog'), f'{mark} in the log', 3)
    return 'written'


def job_ran(w):
    """cron runs @reboot when it finds no mark of an earlier run since the boot."""
    return w.read('/run/cron-t').strip()


# A terminal to log in at: its master's side is a file of what was shown there.
TERMINAL = '''
import os, pty, select
master, slave = pty.openpty()
assert os.ttyname(slave) == '/dev/pts/1', 'pts/0 is the console, and nobody else has one'
while True:
    try:
        shown = os.read(master, 4096)
    except OSError:  # hung up, until somebody opens it again
        select.select([], [], [], 0.02)
        continue
    with open('/run/getty-t', 'ab') as f:
        f.write(shown)
'''


def prompt(w):
    return 'prompt' if ' login: ' in w.read('/run/getty-t') else 'none'


PACKAGES = [
    Package('rsyslog.service', ('rsyslog',), 'Type=notify, StandardOutput=null, LimitNOFILE=, CapabilityBoundingSet=, Requires= a socket unit',
            logged, 'written', r'/usr/sbin/rsyslogd -n -iNONE', reloads=False, restarts=True, also_stop=('syslog.socket',)),
    Package('cron.service', ('cron',), 'no Type=, EnvironmentFile=-, an empty $EXTRA_OPTS, KillMode=process, IgnoreSIGPIPE=false',
            job_ran, 'ran', r'/usr/sbin/cron -f', ready=False, reloads=False, restarts=True,
            prepare=put('/etc/cron.d/t', JOB), again=shell('rm -f /run/crond.reboot /run/cron-t'),
            left=('/run/cron-t', '/run/crond.pid', '/run/crond.reboot')),
    Package('systemd-udevd.service', ('udev', 'mount'), 'Type=notify-reload, Delegate=, WatchdogSec=, Sockets=, RestartSec=0, OOMScoreAdjust=-1000',
            lambda w: str(w.run(['udevadm', 'control', '--ping', '--timeout=4']).returncode), '0', r'/usr/lib/systemd/systemd-udevd',
            restarts=True, prepare=shell('mount -o remount,rw /sys'),  # of which its unit makes a condition
            also_stop=('systemd-udevd-control.socket', 'systemd-udevd-kernel.socket')),
    Package('nftables.service', ('nftables',), 'Type=oneshot with RemainAfterExit=, ExecReload= and ExecStop= without a main process, DefaultDependencies=no',
            lambda w: w.run("nft list ruleset | grep -o '10[.]0[.]0[.][0-9]*'").stdout.strip(), '10.0.0.1', '',
            prepare=put('/etc/nftables.conf', NFT % 1), change=put('/etc/nftables.conf', NFT % 2), then='10.0.0.2'),
    Package('container-getty@1.service', ('util-linux',), 'Type=idle, StandardInput=tty with TTYPath=, TTYReset=, TTYVHangup=, SendSIGHUP=, Restart=always',
            prompt, 'prompt', r'/sbin/agetty -o -- \\u --noreset --noclear - \S+', ready=False, reloads=False, restarts=True,
            beside=(('python3', '-c', TERMINAL),), again=shell('rm -f /run/getty-t; until test -e /dev/pts/1; do sleep 0.02; done'), left=('/run/getty-t',),
            unless=lambda w: None if w.exists('/usr/lib/systemd/system/container-getty@.service') else
            'its unit is in the package systemd, which this world has not'),
]

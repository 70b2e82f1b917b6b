"""A service of runit whose program is amphid: in the foreground, below runsv, and gone when it says so."""
import waiting
from instance import Instance, in_order

ONLY = ('runit',)

RUN = """#!/bin/sh
exec amphid --name=kept --ready=tcp:8431 --restart=on-failure -p RestartSec=0 --log=syslog -- python3 -m http.server 8431
"""


def test_below_runsv(world):
    w = world
    w.run('mkdir /etc/sv/kept')
    w.write('/etc/sv/kept/run', RUN, 0o755)
    w.run('ln -s /etc/sv/kept /etc/service/kept')
    w.records('kept', until='ready')
    i = Instance(w, 'kept')
    assert i.status()['mode'] == 'foreground'
    runsv = int(w.run(['ps', '-o', 'ppid=', '-p', str(i.pid)]).stdout)
    assert w.run(['ps', '-o', 'comm=', '-p', str(runsv)]).stdout == 'runsv\n'
    main = i.main_pid
    w.kill(main, 9)
    waiting.until(lambda: i.main_pid not in (0, main) and i.job()['ready'], 'another life')
    assert w.running(i.pid), 'runit has seen nothing of it'
    w.run(['sv', '-w', '10', 'down', 'kept'], timeout=30)
    assert not w.running(i.pid) and not w.exists('/run/amphid/kept')
    in_order(['stopping', 'stopped'], [r for r in w.records('kept') if r['pid'] == str(i.pid)])
    w.run(['sv', '-w', '10', 'up', 'kept'], timeout=30)
    waiting.until(lambda: w.exists('/run/amphid/kept/control'), 'the new instance')
    assert Instance(w, 'kept').pid != i.pid
    w.run('rm /etc/service/kept')
    waiting.until(lambda: not w.exists('/run/amphid/kept'), 'the end of the service')

"""The rules of systemd.unit(5) for several units, as systemd keeps them and as amphid does: the same units, the same
requests and deaths, and after each of them the same states and the same success or failure of the request.

Left out is what systemd leaves to chance: of a start and of a Requisite= that has to look before it, without After=,
systemd may begin either first. Amphid looks first."""
import json
import time

import pytest


ONLY = ('systemd-252', 'systemd-257')
RUNS = '[Service]\nExecStart=/bin/sleep infinity\n'
FAILS = '[Service]\nType=oneshot\nExecStart=/bin/false\n'
DONE = '[Service]\nType=oneshot\nExecStart=/bin/true\n'
STAYS = '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n'
SLOW = '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 0.3\n'
HANGS = '[Service]\nType=notify\nExecStart=/bin/sleep infinity\n'
UP = {'up': 'active', 'exited': 'active', 'failed': 'failed', 'starting': 'activating'}


def unit(words, service=RUNS):
    return '[Unit]\n' + words.replace(' ', '\n') + '\n' + service


# By name: units by their names (a service if there is no dot), and what is done: a verb and a unit, "kill" among them.
RULES = {
    'requires-after-fail': ({'a': unit('Requires=b.service After=b.service'), 'b': FAILS}, ['start a']),
    'requires-noafter-fail': ({'a': unit('Requires=b.service'), 'b': FAILS}, ['start a']),
    'wants-fail': ({'a': unit('Wants=b.service After=b.service'), 'b': FAILS}, ['start a']),
    'wants-missing': ({'a': unit('Wants=nob.service After=nob.service')}, ['start a']),
    'requires-missing': ({'a': unit('Requires=nob.service')}, ['start a']),
    'requires-stop': ({'a': unit('Requires=b.service After=b.service'), 'b': RUNS}, ['start a', 'stop b']),
    'wants-stop': ({'a': unit('Wants=b.service'), 'b': RUNS}, ['start a', 'stop b']),
    'requires-die': ({'a': unit('Requires=b.service After=b.service'), 'b': RUNS}, ['start a', 'kill b']),
    'bindsto-die': ({'a': unit('BindsTo=b.service After=b.service'), 'b': RUNS}, ['start a', 'kill b']),
    'bindsto-noafter-die': ({'a': unit('BindsTo=b.service'), 'b': RUNS}, ['start a', 'kill b']),
    'bindsto-oneshot': ({'a': unit('BindsTo=b.service After=b.service'), 'b': DONE}, ['start a']),
    'bindsto-noafter-oneshot': ({'a': unit('BindsTo=b.service'), 'b': DONE}, ['start a']),
    'requires-oneshot': ({'a': unit('Requires=b.service After=b.service'), 'b': DONE}, ['start a']),
    'requisite-after-down': ({'a': unit('Requisite=b.service After=b.service'), 'b': RUNS}, ['start a']),
    'requisite-up': ({'a': unit('Requisite=b.service After=b.service'), 'b': RUNS}, ['start b', 'start a', 'stop b']),
    'requisite-oneshot': ({'a': unit('Requisite=b.service After=b.service'), 'b': DONE}, ['start b', 'start a']),
    'partof': ({'a': unit('PartOf=b.service'), 'b': RUNS}, ['start b', 'start a', 'stop b']),
    'partof-restart': ({'a': unit('PartOf=b.service'), 'b': RUNS}, ['start b', 'start a', 'restart b']),
    'partof-restart-down': ({'a': unit('PartOf=b.service'), 'b': RUNS}, ['start b', 'restart b']),
    'conflicts': ({'a': unit('Conflicts=b.service'), 'b': RUNS}, ['start b', 'start a']),
    'conflicts-rev': ({'a': unit('Conflicts=b.service'), 'b': RUNS}, ['start a', 'start b']),
    'conflict-both-required': ({'t': unit('Requires=b.service Requires=c.service', STAYS),
        'b': unit('Conflicts=c.service'), 'c': RUNS},
        ['start t']),
    'conflict-one-required': ({'t': unit('Requires=b.service Wants=c.service', STAYS),
        'b': unit('Conflicts=c.service'), 'c': RUNS},
        ['start t']),
    'conflict-other-required': ({'t': unit('Wants=b.service Requires=c.service', STAYS),
        'b': unit('Conflicts=c.service'), 'c': RUNS},
        ['start t']),
    'conflict-wanted': ({'t': unit('Wants=b.service Wants=c.service', STAYS),
        'b': unit('Conflicts=c.service'), 'c': RUNS},
        ['start t']),
    'conflict-wanted-rev': ({'t': unit('Wants=c.service Wants=b.service', STAYS), 'c': unit('Conflicts=b.service'),
        'b': RUNS},
        ['start t']),
    'cycle-required': ({'a': unit('Requires=b.service After=b.service'), 'b': unit('After=a.service')}, ['start a']),
    'cycle-wanted': ({'a': unit('Wants=b.service After=b.service'), 'b': unit('After=a.service')}, ['start a']),
    'onfailure': ({'a': unit('OnFailure=b.service', FAILS), 'b': RUNS}, ['start a']),
    'onfailure-dep': ({'a': unit('OnFailure=c.service Requires=b.service After=b.service'), 'b': FAILS, 'c': RUNS},
        ['start a']),
    'onsuccess': ({'a': unit('OnSuccess=b.service', DONE), 'b': RUNS}, ['start a']),
    'onsuccess-stop': ({'a': unit('OnSuccess=b.service'), 'b': RUNS}, ['start a', 'stop a']),
    'onsuccess-fail': ({'a': unit('OnSuccess=b.service', FAILS), 'b': RUNS}, ['start a']),
    'upholds': ({'a': unit('Upholds=b.service'), 'b': RUNS}, ['start a', 'kill b']),
    'upholds-stop': ({'a': unit('Upholds=b.service'), 'b': RUNS}, ['start a', 'stop b']),
    'upholds-later': ({'a': unit('Upholds=b.service'), 'b': RUNS}, ['start a', 'stop a', 'stop b']),
    'unneeded': ({'a': unit('Requires=b.service After=b.service'), 'b': unit('StopWhenUnneeded=yes')},
        ['start a', 'stop a']),
    'unneeded-alone': ({'b': unit('StopWhenUnneeded=yes')}, ['start b']),
    'propagates-stop': ({'a': unit('PropagatesStopTo=b.service'), 'b': RUNS}, ['start a', 'start b', 'stop a']),
    'propagates-stop-die': ({'a': unit('PropagatesStopTo=b.service'), 'b': RUNS}, ['start a', 'start b', 'kill a']),
    'stop-from': ({'a': unit('StopPropagatedFrom=b.service'), 'b': RUNS}, ['start a', 'start b', 'stop b']),
    'cond-requires': ({'a': unit('Requires=b.service After=b.service'), 'b': unit('ConditionPathExists=/nope')},
        ['start a']),
    'cond-bindsto': ({'a': unit('BindsTo=b.service After=b.service'), 'b': unit('ConditionPathExists=/nope')},
        ['start a']),
    'cond-requisite': ({'a': unit('Requisite=b.service After=b.service'), 'b': unit('ConditionPathExists=/nope')},
        ['start b', 'start a']),
    'assert-requires': ({'a': unit('Requires=b.service After=b.service'), 'b': unit('AssertPathExists=/nope')},
        ['start a']),
    'assert-wants': ({'a': unit('Wants=b.service After=b.service'), 'b': unit('AssertPathExists=/nope')},
        ['start a']),
    'restart-requires': ({'a': unit('Requires=b.service After=b.service'), 'b': RUNS}, ['start a', 'restart b']),
    'restart-requires-noafter': ({'a': unit('Requires=b.service'), 'b': RUNS}, ['start a', 'restart b']),
    'autorestart-requires': ({'a': unit('Requires=b.service After=b.service'), 'b': RUNS+'Restart=always\n'},
        ['start a', 'kill b']),
    'autorestart-bindsto': ({'a': unit('BindsTo=b.service After=b.service'), 'b': RUNS+'Restart=always\n'},
        ['start a', 'kill b']),
    'stop-chain': ({'a': unit('Requires=b.service'), 'b': unit('Requires=c.service'), 'c': RUNS},
        ['start a', 'stop c']),
    'refuse': ({'a': unit('RefuseManualStart=yes')}, ['start a']),
    'refuse-stop': ({'a': unit('RefuseManualStop=yes')}, ['start a', 'stop a']),
    'jobtimeout': ({'a': unit('JobTimeoutSec=1', HANGS)}, ['start a']),
    'reload-inactive': ({'a': RUNS+'ExecReload=/bin/true\n'}, ['reload a']),
    'restart-inactive': ({'a': RUNS}, ['restart a']),
    'target': ({'a': RUNS, 'b': unit('PartOf=g.target'), 'g.target': unit('Wants=a.service Requires=b.service', '')},
        ['start g.target', 'stop g.target']),
    'target-after': ({'a': SLOW, 'g.target': unit('Requires=a.service', '')}, ['start g.target']),
    'target-fail': ({'a': FAILS, 'g.target': unit('Requires=a.service', '')}, ['start g.target']),
}


def full(name):
    return name if '.' in name else f'{name}.service'


def when_still(look, seconds=0.5):
    """What @look sees once it has not changed for some time: restarts and what follows from deaths have happened."""
    seen, since = look(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        now = look()
        if now != seen:
            seen, since = now, time.monotonic()
    return seen


class Systemd:
    directory = '/run/systemd/system'

    def __init__(self, world, units):
        self.world, self.units = world, units
        world.run(['systemctl', 'daemon-reload'])

    def do(self, verb, name):
        if verb == 'kill':
            return self.world.run(['systemctl', 'kill', '-s', 'KILL', name], check=False).returncode == 0
        return self.world.run(['timeout', '10', 'systemctl', verb, name], check=False, timeout=20).returncode == 0

    def states(self):
        shown = self.world.run(['systemctl', 'show', '-P', 'ActiveState', *self.units]).stdout.split()
        return dict(zip(self.units, shown))

    def end(self):
        self.world.run(['systemctl', 'stop', *self.units], check=False)
        if self.world.run(['systemctl', 'is-active', *self.units], check=False).returncode == 0:  # RefuseManualStop=
            self.world.run(['systemctl', 'kill', '-s', 'KILL', *self.units], check=False)
            when_still(self.states)
        self.world.run(['systemctl', 'reset-failed'], check=False)


class Amphid:
    directory = '/run/rules'

    def __init__(self, world, units):
        self.world, self.units = world, units
        world.run(['amphid', '--fork', '--name=rules', f'--unit-path={self.directory}', '--log=file:/run/rules.log'])

    def jobs(self):
        status = self.world.run(['amphid', 'status', 'rules', '--json']).stdout
        return {job['name']: job for job in json.loads(status)['jobs']}

    def do(self, verb, name):
        if verb == 'kill':
            return self.world.run(['kill', '-9', str(self.jobs()[name]['mainPid'])], check=False).returncode == 0
        return self.world.run(['timeout', '10', 'amphid', '--name=rules', verb, name], check=False,
                              timeout=20).returncode == 0

    def states(self):
        jobs = self.jobs()
        return {u: UP.get(jobs[u]['state'] if u in jobs else '', 'inactive') for u in self.units}

    def end(self):
        self.world.run(['amphid', 'stop', 'rules'])


def play(world, manager, units, steps):
    """What is seen after each step: did it succeed, and the states of all units."""
    files = {f'{manager.directory}/{full(name)}': text for name, text in units.items()}
    for path, text in files.items():
        world.write(path, text)
    m = manager(world, [full(name) for name in units])
    seen = []
    try:
        for step in steps:
            verb, name = step.split()
            good = m.do(verb, full(name))
            seen.append((step, good, when_still(m.states)))
    finally:
        m.end()
        world.run(['rm', '-f', *files])
    return seen


@pytest.mark.parametrize('rule', RULES)
def test_rule(own_world, rule):
    units, steps = RULES[rule]
    theirs = play(own_world, Systemd, units, steps)
    assert play(own_world, Amphid, units, steps) == theirs

"""A client that nobody here wrote: varlinkctl of systemd 257 talks to the control socket."""
import json

import waiting
from instance import started, web

ONLY = ('systemd-257',)


def call(w, name, method, params='{}', **kw):
    return w.run(['varlinkctl', '-j', 'call', f'/run/amphid/{name}/control', method, params], **kw)


def test_info(world):
    with started(world, 'v-info', 'sleep', 'infinity'):
        r = world.run(['varlinkctl', 'info', '/run/amphid/v-info/control'])
        assert 'amphid' in r.stdout and 'io.amphid.Manager' in r.stdout
        info = json.loads(world.run(['varlinkctl', '-j', 'info', '/run/amphid/v-info/control']).stdout)
        assert {'org.varlink.service', 'io.amphid.Manager'} <= set(info['interfaces'])
        assert info['version'] == world.run(['amphid', '--version']).stdout.split()[1]


def test_introspect_is_clean(world):
    """It parses, has all methods, and is what validate-idl calls valid; varlinkctl complains on stderr."""
    with started(world, 'v-intro', 'sleep', 'infinity'):
        for interface in ('io.amphid.Manager', 'org.varlink.service'):
            r = world.run(['varlinkctl', 'introspect', '/run/amphid/v-intro/control', interface])
            assert r.stderr == '' and f'interface {interface}' in r.stdout
            world.write('/tmp/x.varlink', r.stdout)
            assert world.run(['varlinkctl', 'validate-idl', '/tmp/x.varlink']).stderr == ''
        r = world.run(['varlinkctl', 'list-methods', '/run/amphid/v-intro/control', 'io.amphid.Manager'])
        assert {m.rpartition('.')[2] for m in r.stdout.split()} >= {'Status', 'Stop', 'Reload', 'Wait'}


def test_status_reload_stop(world):
    with web(world, 'v-web') as i:
        answer = json.loads(call(world, 'v-web', 'io.amphid.Manager.Status').stdout)['instance']
        assert (answer['name'], answer['pid'], answer['state']) == ('v-web', i.pid, 'up')
        assert answer['jobs'][0]['mainPid'] == i.main_pid
        call(world, 'v-web', 'io.amphid.Manager.Reload')
        world.output('v-web', until='web: page read again')
        r = call(world, 'v-web', 'io.amphid.Manager.Stop', '{"job":"no-such-job"}', check=False)
        assert r.returncode != 0 and 'NoSuchJob' in r.stdout + r.stderr
        waiter = world.spawn(['varlinkctl', '-j', 'call', '/run/amphid/v-web/control', 'io.amphid.Manager.Wait', '{}'])
        waiting.until(lambda: world.connections('/run/amphid/v-web/control') == 1, 'the waiting client')
        call(world, 'v-web', 'io.amphid.Manager.Stop')
        out = waiter.communicate(timeout=10)[0]
        assert json.loads(out) == {'result': 'success', 'exitCode': 'exited', 'exitStatus': 0}
        i.assert_stopped()


def test_errors_and_strangers(world):
    with started(world, 'v-err', 'sleep', 'infinity') as i:
        for method, error in (('io.amphid.Manager.Nonsense', 'MethodNotFound'), ('no.such.Thing', 'InterfaceNotFound')):
            r = call(world, 'v-err', method, check=False)
            assert r.returncode != 0 and error in r.stdout + r.stderr, r
        r = call(world, 'v-err', 'io.amphid.Manager.Stop', '{"job":7}', check=False)
        assert 'InvalidParameter' in r.stdout + r.stderr
        r = call(world, 'v-err', 'io.amphid.Manager.Status', user='alice')
        assert json.loads(r.stdout)['instance']['pid'] == i.pid
        r = call(world, 'v-err', 'io.amphid.Manager.Stop', user='alice', check=False)
        assert r.returncode != 0 and 'PermissionDenied' in r.stdout + r.stderr
        assert i.status()['state'] == 'up'

"""What a service's main process is like from outside: what is between the fork and the exec shows here. systemd's pictures of
the packages, each taken in packages-systemd-257 and kept beside the roots under the package's version, are what those of
amphid are compared with: Debian changes its packages.
"""
import json
import os
import re

import roots

FILE = 'pictures.json'
STATUS = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Umask')
# Capabilities that systemd takes away with something of the sandbox (systemd.exec(5)), which comes later.
SANDBOX = {'ProtectClock': (25, 35), 'ProtectKernelModules': (16,), 'ProtectKernelLogs': (34,), 'PrivateDevices': (17, 27)}
# Says who the manager is, and where it listens.
MANAGERS = {'INVOCATION_ID', 'JOURNAL_STREAM', 'NOTIFY_SOCKET', 'SYSTEMD_EXEC_PID', 'MEMORY_PRESSURE_WATCH', 'LISTEN_PID',
            'MEMORY_PRESSURE_WRITE', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'MAINPID', 'MANAGERPID', 'LISTEN_FDS', 'LISTEN_FDNAMES',
            'LISTEN_PIDFDID', 'MANAGERPIDFDID', 'LANG'}
# Another one each time.
VOLATILE = {'HAPROXY_PROCESSES', 'HAPROXY_LOCALPEER', 'PG_GRANDPARENT_PID'}


def taken(w, pid, unit_text):
    """The picture of the process @pid in the world @w."""
    status = w.status_of(pid)
    found = {key: status[key].strip() for key in STATUS}
    found['user'] = account(w, 'passwd', status['Uid'].split()[1])
    found['group'] = account(w, 'group', status['Gid'].split()[1])
    found['groups'] = sorted(account(w, 'group', g) for g in status['Groups'].split())
    found['cwd'] = os.readlink(w.path(f'/proc/{pid}/cwd'))
    found['oom'] = w.read(f'/proc/{pid}/oom_score_adj').strip()
    rest = w.read(f'/proc/{pid}/stat').rpartition(')')[2].split()
    found['nice'], found['policy'] = rest[16], rest[38]
    stdin = os.readlink(w.path(f'/proc/{pid}/fd/0')) if os.path.lexists(w.path(f'/proc/{pid}/fd/0')) else 'closed'
    found['stdin'] = stdin.partition(':')[0]
    environ = w.environ(pid)
    found['environ'] = {k: environ[k] for k in sorted(environ) if k not in MANAGERS | VOLATILE and re.fullmatch(r'\w+', k)}
    if 'PATH' in found['environ']:  # where /bin is /usr/bin they are the same: Debian 13's systemd leaves them out
        found['environ']['PATH'] = found['environ']['PATH'].removesuffix(':/sbin:/bin')
    if 'CREDENTIALS_DIRECTORY' in found['environ']:  # which amphid keeps below its own directory
        found['environ']['CREDENTIALS_DIRECTORY'] = found['environ']['CREDENTIALS_DIRECTORY'].replace('/run/amphid/', '/run/')
    mask = ~sum(1 << bit for key, bits in SANDBOX.items() if re.search(f'^{key}=(?!no|false)', unit_text, re.M) for bit in bits)
    found.update({key: f'{int(found[key], 16) & mask:x}' for key in ('CapPrm', 'CapEff', 'CapBnd')})
    return found


def account(w, database, number):
    """Its name: the numbers depend on the order of installation."""
    line = re.search(rf'^([^:]+):[^:]*:{number}:', w.read(f'/etc/{database}'), re.M)
    return line[1] if line else 'dynamic' if 61184 <= int(number) <= 65519 else number


def compare(w, p, picture):
    """systemd's own picture of the package @p is kept, and any other must be the same."""
    file = roots.cache() / FILE
    everything = json.loads(file.read_text()) if file.exists() else {}
    key = ' '.join([p.name, *w.run(['dpkg-query', '-W', '-f', '${Version} ', *p.debs]).stdout.split()])
    if w.init == 'systemd':
        file.write_text(json.dumps({**everything, key: picture}, indent=1, sort_keys=True) + '\n')
        return
    wanted = everything.get(key)
    assert wanted, f'systemd has made no picture of {key} yet: --world packages-systemd-257, with a root of the same day'
    different = {k: (wanted.get(k), picture[k]) for k in picture if picture[k] != wanted.get(k)}
    assert not different, f'{p.name} is not as systemd makes it (wanted, found): {different}'

"""One world at a time, booted when its first test comes and ended after its last one."""
import os
import shutil
from pathlib import Path

import pytest

import inits
import instance
import package

NEEDED = ('systemd-nspawn', 'mmdebstrap', 'nsenter', 'setpriv', 'unshare', 'git')


def pytest_addoption(parser):
    parser.addoption('--world', action='append', choices=inits.ALL_WORLDS, help='only this world (repeatable)')


def pytest_configure(config):
    # Not a skip: who runs the worlds wants to know about them.
    missing = [c for c in NEEDED if not shutil.which(c)]
    if missing:
        raise pytest.UsageError('the worlds need ' + ', '.join(missing))
    if os.geteuid() != 0:
        raise pytest.UsageError('the worlds need root: they mount and boot')


def pytest_generate_tests(metafunc):
    if 'world_name' in metafunc.fixturenames:
        wanted = metafunc.config.getoption('world') or inits.ALL_WORLDS
        only = getattr(metafunc.module, 'ONLY', inits.WORLDS)
        metafunc.parametrize('world_name', [w for w in only if w in wanted], scope='session')


@pytest.fixture(scope='session')
def deb():
    """suite -> the package, built at most once."""
    made = {}

    def get(suite):
        if suite not in made:
            made[suite] = package.built(suite)
        return made[suite]
    return get


@pytest.fixture(scope='session')
def world(world_name, deb):
    """A booted world with the package installed, shared by the tests of that world."""
    w = inits.new(world_name).boot()
    try:
        w.install(deb(w.suite))
        w.put(Path(__file__).with_name('web.py'), instance.WEB)
        yield w
    finally:
        w.off()


@pytest.fixture(scope='module')
def own_world(world_name, deb):
    """A booted world of the module's own, with the package, or for who works on it with the binary that AMPHID_BINARY names."""
    w = inits.new(world_name).boot()
    try:
        if os.environ.get('AMPHID_BINARY'):
            w.put(os.environ['AMPHID_BINARY'], '/usr/bin/amphid')
        else:
            w.install(deb(w.suite))
        yield w
    finally:
        w.off()


@pytest.fixture
def empty_world(world_name):
    """A booted world without the package, for one test alone."""
    w = inits.new(world_name).boot()
    try:
        yield w
    finally:
        w.off()

"""enable, disable, mask and is-enabled: the same symlinks and answers as systemctl(1), and what it has no say in."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

SYSTEM = pathlib.Path("/lib/systemd/system")
SERVICE = "[Service]\nExecStart=/bin/true\n"
UNITS = {
    "web.service": SERVICE + "[Install]\nWantedBy=multi-user.target\nAlias=www.service\nAlso=helper.service\n",
    "helper.service": SERVICE + "[Install]\nRequiredBy=web.service\nUpheldBy=web.service\n",
    "tty@.service": SERVICE + "[Install]\nWantedBy=getty.target\n",
    "def@.service": SERVICE + "[Install]\nWantedBy=getty.target for-%i.target\nDefaultInstance=one\n",
    "tmpl@.service": SERVICE + "[Install]\nAlias=also@.service also@x.service\nWantedBy=getty.target\nDefaultInstance=one\n",
    "each@.service": SERVICE + "[Install]\nWantedBy=box@.target\n",
    "static.service": SERVICE,
    "indirect.service": SERVICE + "[Install]\nAlso=helper.service\n",
    "bad.service": "[Service]\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n",
    "badalias.service": SERVICE + "[Install]\nAlias=badalias.socket\n",
    "reset.service": SERVICE + "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\n",
}


class Place:
    """A directory for symlinks and one with files, and amphid with both as its search path."""
    def __init__(self, world, path):
        self.world, self.links, self.files = world, path / "etc", path / "lib"
        self.files.mkdir(parents=True)
        for name, text in UNITS.items():
            (self.files / name).write_text(text)

    def run(self, verb, *units, code=0):
        return self.world.run(f"--unit-path={self.links}:{self.files}", verb, *units, code=code)

    def there(self):
        return {str(p.relative_to(self.links)): os.readlink(p) for p in self.links.rglob("*") if p.is_symlink()}

    def state(self, unit, code=0):
        return self.run("is-enabled", unit, code=code).out.strip()


@pytest.fixture
def place(world):
    return Place(world, pathlib.Path(world.mkdir("units")))


def test_enable_and_disable(place):
    assert place.state("web", code=1) == "disabled"
    run = place.run("enable", "web")
    web, helper = str(place.files / "web.service"), str(place.files / "helper.service")
    made = {"www.service": web, "multi-user.target.wants/web.service": web,
            "web.service.requires/helper.service": helper, "web.service.upholds/helper.service": helper}
    assert place.there() == made
    assert sorted(run.out.splitlines()) == sorted(f"Created symlink {place.links}/{p} -> {t}." for p, t in made.items())
    again = place.run("enable", "web.service")
    assert again.out == again.err == "" and place.there() == made
    assert [place.state(u) for u in ("web", "helper", "www")] == ["enabled", "enabled", "alias"]
    run = place.run("disable", "web")
    assert len(run.out.splitlines()) == 4 and place.there() == {} and not any(place.links.iterdir())
    assert place.run("disable", "web").out == ""
    assert place.state("web", code=1) == "disabled"


def test_templates(place):
    run = place.run("enable", "tty@", code=1)
    assert "tty@.service: is a template: which instance of it? (tty@NAME.service)" in run.err and not place.there()
    place.run("enable", "tty@1", "tty@2.service", "def@", "each@")
    tty, one = str(place.files / "tty@.service"), str(place.files / "def@.service")
    assert place.there() == {"getty.target.wants/tty@1.service": tty, "getty.target.wants/tty@2.service": tty,
                             "getty.target.wants/def@one.service": one, "for-one.target.wants/def@one.service": one,
                             "box@.target.wants/each@.service": str(place.files / "each@.service")}
    assert [place.state(u) for u in ("tty@1", "tty@", "def@", "def@one")] == ["enabled", "indirect", "enabled", "enabled"]
    assert place.state("tty@3", code=1) == "disabled"
    place.run("disable", "tty@1")
    assert "getty.target.wants/tty@2.service" in place.there() and "getty.target.wants/tty@1.service" not in place.there()
    place.run("disable", "tty@", "def@one", "each@")
    assert place.there() == {}
    place.run("enable", "tmpl@x")
    assert set(place.there()) == {"also@x.service", "getty.target.wants/tmpl@x.service"}
    place.run("enable", "tmpl@")  # by its other names a template stays one: DefaultInstance= is for those who want it
    assert set(place.there()) == {"also@.service", "also@x.service", "getty.target.wants/tmpl@one.service",
                                  "getty.target.wants/tmpl@x.service"}


@pytest.mark.parametrize("unit, says", [
    ("nope", "nope: there is no such unit"),
    ("bad", "bad.service: "),
    ("tmpl@y", "tmpl@y.service: Alias=also@x.service: is another instance"),
    ("badalias", "Alias=badalias.socket: not a name that this unit could have"),
    ("../web.service", "there is no such unit"),
    ("a b", "is not the name of a unit"),
    ("web@.service", "web@.service: there is no such unit"),
])
def test_wrong_units_leave_nothing(place, unit, says):
    run = place.run("enable", "web", unit, code=1)
    assert says in run.err and run.out == "" and place.there() == {}


def test_taken_places(place):
    place.links.mkdir()
    (place.links / "www.service").symlink_to("/elsewhere/other.service")
    run = place.run("enable", "web", code=1)
    assert f"{place.links}/www.service is there already and leads to /elsewhere/other.service" in run.err
    (place.links / "www.service").unlink()
    (place.links / "www.service").write_text(SERVICE)
    run = place.run("enable", "web", code=1)
    assert "is there already and is no symlink" in run.err and place.there() == {}


def test_mask(place):
    place.run("mask", "static")
    assert place.there() == {"static.service": "/dev/null"}
    assert place.run("mask", "static").out == "" and place.state("static", code=1) == "masked"
    assert "is masked" in place.run("enable", "static", code=1).err
    place.run("unmask", "static")
    assert place.there() == {} and place.run("unmask", "static").out == "" and place.state("static") == "static"


def test_a_file_elsewhere(place):
    elsewhere = pathlib.Path(place.world.mkdir("elsewhere"))
    (elsewhere / "far.service").write_text(SERVICE + "[Install]\nWantedBy=multi-user.target\n")
    far = str(elsewhere / "far.service")
    place.run("enable", far)
    assert place.there() == {"far.service": far, "multi-user.target.wants/far.service": far}
    assert place.state("far") == "enabled"
    place.run("disable", "far")
    assert place.there() == {}


def test_nothing_to_enable(place):
    run = place.run("enable", "static")
    assert "static.service: has no [Install] section" in run.err and run.out == "" and place.there() == {}


def test_reenable(place):
    """What [Install] says now, and nothing of what it said before; a mistake changes nothing."""
    place.run("enable", "web", "helper")
    web = place.files / "web.service"
    web.write_text(SERVICE + "[Install]\nWantedBy=graphical.target\n")
    helper = {k: v for k, v in place.there().items() if k.endswith("helper.service")}
    run = place.run("reenable", "web")
    assert place.there() == {"graphical.target.wants/web.service": str(web), **helper}
    assert "Removed" in run.out and "Created symlink" in run.out
    before = place.there()
    web.write_text(SERVICE + "[Install]\nAlias=web.socket\n")
    assert "not a name that this unit could have" in place.run("reenable", "web", code=1).err and place.there() == before


def test_link(place):
    elsewhere = pathlib.Path(place.world.mkdir("elsewhere"))
    (elsewhere / "far.service").write_text(SERVICE + "[Install]\nWantedBy=multi-user.target\n")
    far = str(elsewhere / "far.service")
    place.run("link", far)
    assert place.there() == {"far.service": far} and place.state("far", code=1) == "linked"
    assert place.run("link", far, place.files / "web.service").out == "", "nothing is to be done"
    place.run("enable", "far")
    place.run("reenable", "far")  # it is found by its symlink all the time
    assert place.there()["far.service"] == far and "multi-user.target.wants/far.service" in place.there()
    for word, says in (("far.service", "far.service: is not the absolute path of a unit's file"),
                       (f"{far}.x", "is not the name of a unit"), (elsewhere / "no.service", "No such file"),
                       ("/proc/self/a b.service", "is not the name of a unit")):
        assert says in place.run("link", word, code=1).err
    (elsewhere / "dir.service").mkdir()
    assert "is no regular file" in place.run("link", elsewhere / "dir.service", code=1).err


@pytest.mark.everyone
def test_now(world):
    """Started and stopped with the symlinks; a reload alone starts nothing."""
    files, links = world.mkdir("files"), world.mkdir("links")
    path = f"--unit-path={links}:{files}"
    for name in ("one", "two", "three"):
        (files / f"{name}.service").write_text("[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n")
    world.run(path, "enable", "one", code=0)
    world.fork(path).wait(0)

    def up():
        info = json.loads(world.run("status", "amphid", "--json").out)
        return {job["name"] for job in info["jobs"] if job["state"] == "up"}
    world.run(path, "enable", "two", code=0)
    world.run("reload", code=0)
    assert up() == {"one.service"}
    world.run(path, "enable", "--now", "two", "three.service", code=0)
    assert up() == {"one.service", "two.service", "three.service"}
    world.run(path, "disable", "--now", "one", "three", code=0)
    assert up() == {"two.service"}
    world.run(path, "mask", "--now", "two", code=0)
    assert up() == set()
    assert world.run(path, "enable", "--now", "two", code=1).err == "amphid: enable: two: is masked\n"
    assert "has no --now" in world.run(path, "unmask", "--now", "two", code=2).err
    world.run("stop", "amphid", code=0)
    assert "no resident amphid" in world.run(path, "enable", "--now", "three.service", code=7).err


def test_list(place):
    place.run("enable", "indirect")
    lines = [line.split() for line in place.run("list-unit-files").out.splitlines()]
    assert ["static.service", "static"] in lines and ["bad.service", "bad"] in lines
    assert ["helper.service", "enabled"] in lines and ["indirect.service", "indirect"] in lines
    assert [line.split()[0] for line in place.run("list-unit-files", "in*").out.splitlines()] == ["indirect.service"]


@pytest.mark.user
def test_own_directory(world):
    """Without root the symlinks are in the home."""
    files = pathlib.Path(world.mkdir("files"))
    (files / "mine.service").write_text(SERVICE + "[Install]\nWantedBy=default.target\n")
    world.run("enable", str(files / "mine.service"), code=0)
    home = world.dir / "home"
    made = {str(p.relative_to(home)) for p in home.rglob("*") if p.is_symlink()}
    assert made == {".config/amphid/mine.service", ".config/amphid/default.target.wants/mine.service"}
    assert world.run("is-enabled", "mine", code=0).out == "enabled\n"


def systemctl(root, *args):
    return subprocess.run(["systemctl", f"--root={root}", *args], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not shutil.which("systemctl") or not SYSTEM.is_dir(), reason="there is no systemctl to compare with")
def test_as_systemctl(place):
    """All units of systemd itself that can be enabled, and ours: the same symlinks, and the same state before and after."""
    root = pathlib.Path(place.world.mkdir("root"))
    files, links = root / "usr/lib/systemd/system", root / "etc/systemd/system"
    shutil.copytree(SYSTEM, files, symlinks=True)
    for name in ("web.service", "helper.service", "def@.service", "tmpl@.service", "static.service", "indirect.service", "reset.service"):
        (files / name).write_text(UNITS[name].replace("UpheldBy=", "RequiredBy="))  # systemd 252 does not know it
    place.links, place.files = links, files
    compared = enabled = 0
    units = [p for p in files.iterdir() if p.suffix in (".service", ".target", ".socket", ".timer")]
    for unit in sorted(p.name for p in units if p.name in UNITS or "[Install]" in p.read_text()):
        seen = []
        for tool in ("systemctl", "amphid"):
            shutil.rmtree(links, ignore_errors=True)
            links.mkdir(parents=True)
            ask = (lambda *a: systemctl(root, *a)) if tool == "systemctl" else (lambda *a: place.run(*a, code=None))
            before = ask("is-enabled", unit)
            ask("enable", unit)
            there = {p: t.removeprefix(str(root)) for p, t in place.there().items()}
            after = ask("is-enabled", unit)
            out = [getattr(r, "stdout", None) if tool == "systemctl" else r.out for r in (before, after)]
            codes = [bool(r.returncode if tool == "systemctl" else r.code) for r in (before, after)]
            ask("disable", unit)
            seen.append((out, codes, there, place.there()))
        assert seen[0] == seen[1], unit
        compared += 1
        enabled += bool(seen[0][2])
    assert compared > len(UNITS) and enabled > 3

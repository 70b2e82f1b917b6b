"""What a program of a unit file is really given: command lines, variables, specifiers, drop-ins, templates; and what is
said of files that are wrong."""
import json
import pathlib
import subprocess

import pytest

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


class Units:
    """A directory of units, run one after the other."""

    def __init__(self, world):
        self.world = world
        self.path = pathlib.Path(world.mkdir("units"))
        (self.path / "show.py").write_text(SHOW)

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("SHOW", f"/usr/bin/python3 {self.path}/show.py"))
        return file

    def run(self, unit, code=0):
        return self.world.run(f"--unit-path={self.path}", "run", "--wait", unit, code=code)

    def shown(self, unit):
        """What each program has shown: (arguments, environment)."""
        return [json.loads(line) for line in self.run(unit).out.splitlines() if line.startswith("[[")]


@pytest.fixture
def units(world):
    return Units(world)


@pytest.mark.everyone
@pytest.mark.parametrize("line, arguments", [
    ("SHOW one 'two words' \"th\\x72ee\" a'b c'd", ["one", "two words", "three", "ab cd"]),
    (r"SHOW \q '\d+' \; \\n", [r"\q", r"\d+", ";", r"\n"]),
    ("SHOW $ONE $TWO ${TWO} x${ONE}y $$ONE $NONE [${NONE}] ''",
     ["1", "two", "words", "two words", "x1y", "$ONE", "[]", ""]),
    ("SHOW $QUOTED ${QUOTED}", ["a b", "c", "'a b' c"]),
    (":SHOW $ONE ${TWO} $$", ["$ONE", "${TWO}", "$$"]),
    ("SHOW a \\\n# a comment\n; another one\n  b", ["a", "b"]),
    ("SHOW %p %n 100%% %%i", ["line", "line.service", "100%", "%i"]),
    ("SHOW a | b > c & #", ["a", "|", "b", ">", "c", "&", "#"]),
])
def test_command_lines(units, line, arguments):
    units.write("line.service", "[Service]\nType=oneshot\nEnvironment=ONE=1 'TWO=two words' \"QUOTED='a b' c\"\n"
                                f"ExecStart={line}\n")
    assert [words for words, _ in units.shown("line")] == [arguments]


def test_instance(units):
    """Its name can hold anything, and stays one word."""
    units.write("t@.service", "[Service]\nType=oneshot\nExecStart=SHOW %i %I '%I' x=%I %p %f\nEnvironment=NAME=%I\n")
    name = r"a\x20b\x22c-\x3b"
    words, environment = units.shown(f"t@{name}")[0]
    assert words == [name, 'a b"c/;', 'a b"c/;', 'x=a b"c/;', "t", '/a b"c/;']
    assert environment["NAME"] == 'a b"c/;'


@pytest.mark.everyone
def test_specifiers_are_of_this_machine(units):
    machine = pathlib.Path("/etc/machine-id")
    number = machine.read_text().strip() if machine.exists() else ""  # a container made from packages alone has none
    units.write("s.service", f"[Service]\nType=oneshot\nExecStart=SHOW %H %v %b {'%m' if number else 'none'} %U %y\n")
    wanted = [subprocess.run(["uname", option], capture_output=True, text=True, check=True).stdout.strip()
              for option in ("-n", "-r")]
    wanted.append(pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
    wanted.append(number or "none")
    wanted += [str(units.world.uid), str(units.path / "s.service")]
    assert units.shown("s")[0][0] == wanted


def test_dropins(units):
    units.write("d-x.service", "[Service]\nType=oneshot\nExecStart=SHOW main\nEnvironment=A=main B=main\n")
    units.write("d-x.service.d/20.conf", "[Service]\nExecStart=\nExecStart=SHOW two\nEnvironment=B=two\n")
    units.write("d-.service.d/20.conf", "[Service]\nEnvironment=A=hidden\n")
    units.write("service.d/10.conf", "[Service]\nEnvironment=B=ten C=ten\n")
    (words, environment), = units.shown("d-x")
    assert words == ["two"]
    assert [environment[key] for key in "ABC"] == ["main", "two", "ten"]


def test_environment_file(units):
    """What cannot be understood in it is told and passed over."""
    file = units.write("vars", "A=1\nexport B=2\n; C=3\nD='a\nb' \nE=x\\\ny\n")
    units.write("e.service", f"[Service]\nType=oneshot\nEnvironment=A=0\nEnvironmentFile={file}\n"
                             "EnvironmentFile=-/nowhere\nExecStart=SHOW $A ${D}\n")
    done = units.run("e")
    words, environment = json.loads(done.out)
    assert words == ["1", "a\nb"]
    assert environment["E"] == "xy" and "C" not in environment and not any(key.endswith("B") for key in environment)
    assert f"{file}:2: " in done.err


@pytest.mark.parametrize("text, said", [
    ("[Service]\nExecStart=bin/true\n", "bad.service:2: ExecStart=bin/true: expected "),
    ("[Service]\nExecStart=|/bin/true\n", "bad.service:2: ExecStart=|/bin/true: expected "),
    ("[Service]\nExecStart=/bin/true %z\n", "bad.service:2: ExecStart=/bin/true %z: %z is no specifier"),
    ("[Service]\nExecStart=/bin/true\nUser=%z\n", "bad.service:3: User=%z: %z is no specifier"),
    ("[Service]\nType=oneshot\n", "bad.service: the unit has neither ExecStart= nor ExecStop="),
    ("[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n", "bad.service: the unit has more than one ExecStart="),
    ("[Service\nExecStart=/bin/true\n", "bad.service:1: the head of a section has no ] at its end"),
    ("ExecStart=/bin/true\n", "bad.service:1: an assignment before the first [Section], ignored"),
])
def test_what_cannot_be_run(units, text, said):
    """It is refused with the file, the line and the reason, and nothing is started."""
    units.write("bad.service", text)
    done = units.run("bad", code=None)
    assert done.code not in (0, None)
    assert f"{units.path}/{said}" in done.err
    assert done.out == "" and "exec:" not in done.err


def test_what_can_be_run_all_the_same(units):
    units.write("odd.service", "\ufeff[Unit]\r\nBogus=1\r\n[Service]\r\nType=oneshot\r\nNice=99\r\njunk\r\n"
                               "ExecStart=SHOW a\r\n[Other]\r\nA=1")
    done = units.run("odd")
    assert json.loads(done.out)[0] == ["a"]
    for said in ("2: Bogus= in [Unit]: unknown, ignored", "5: Nice=99: expected a number from -20 to 19, ignored",
                 "6: no \"=\" in the line, ignored", "8: [Other]: no section of a service unit, ignored"):
        assert f"{units.path}/odd.service:{said}" in done.err


def test_masked_missing_and_aliases(units):
    units.write("real.service", "[Service]\nType=oneshot\nExecStart=SHOW %n\n")
    (units.path / "alias.service").symlink_to("real.service")
    (units.path / "masked.service").symlink_to("/dev/null")
    assert units.shown("alias")[0][0] == ["real.service"]
    assert "masked" in units.run("masked", code=None).err
    for name in ("masked", "none", "not a name", "t@"):
        assert units.run(name, code=None).code not in (0, None), name

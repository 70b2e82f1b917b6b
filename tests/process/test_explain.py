"""explain and verify: what becomes of each line, and what is wrong before anything starts; what is not enforced is said at
every start, and refused with --strict."""
import json
import pathlib
import re

import pytest

UNITS = {
    "web.service": """\
[Unit]
Description=A web server
After=late.service
[Service]
ExecStart=/bin/true one "two three"
PrivateTmp=yes
ProtectHome=no
ReadOnlyDirectories=/etc
Slice=web.slice
RestartSec=1500ms
LimitNOFILE=100:200
User=root
Bogus=1
X-Mine=1
[X-Other]
Whatever=1
[X-Amphid]
Ready=notify
[Install]
WantedBy=multi-user.target
""",
    "web.service.d/10-more.conf": "[Service]\nExecStart=\nExecStart=/bin/false\nEnvironment=A=1\n",
    "late.service": "[Service]\nExecStart=/bin/true\n",
    "bad.service": "[Service]\nType=sometimes\nExecStart=/bin/unclosed \"quote\n",
    "cycle.service": "[Unit]\nAfter=b.service\nWants=b.service\n[Service]\nExecStart=/bin/true\n",
    "b.service": "[Unit]\nAfter=cycle.service\n[Service]\nExecStart=/bin/true\n",
    "open.service": "[Service]\nExecStart=/bin/sh -c true\nPrivateTmp=yes\nProtectHome=yes\n",
    "closed.service": "[Service]\nExecStart=/bin/sh -c true\nPrivateTmp=no\n",
    "wrong.service": "[Service]\nExecStart=/bin/sh -c true\nNice=99\n",
    "needy.service": """\
[Unit]
Requires=missing.service late.service sockets.target some.socket
Wants=alsomissing.service
[Service]
ExecStartPre=-/nosuch/pre
ExecStart=/nosuch/program
ExecStartPost=true
User=nosuchuser
SupplementaryGroups=nosuchgroup 0
Group=0
TasksMax=7
""",
    "dynamic.service": "[Service]\nExecStart=/bin/true\nDynamicUser=yes\nUser=nosuchuser\nGroup=nosuchgroup\n",
}


@pytest.fixture
def units(world):
    path = pathlib.Path(world.mkdir("units"))
    for name, text in UNITS.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)
    (path / "masked.service").symlink_to("/dev/null")
    (path / "alias.service").symlink_to("web.service")
    return path


def ask(world, units, verb, *names, code=0):
    return world.run(f"--unit-path={units}", verb, *names, code=code)


def honour(run):
    """{"Key=value": "applied"} of the listing of lines."""
    found = re.findall(r"^ *\d+  (applied|emulated|ignored|not supported|unknown) +(\S.*)$", run.out, re.M)
    return {line: what for what, line in found}


@pytest.mark.everyone
def test_explain(world, units):
    run = ask(world, units, "explain", "web")
    lines = honour(run)
    assert lines["Description=A web server"] == "applied"
    assert lines["Bogus=1"] == "unknown"
    assert lines["Ready=notify"] == "applied"
    assert next(what for line, what in lines.items() if line.startswith("Slice=web.slice (")) == "ignored"
    assert next(what for line, what in lines.items() if line.startswith("PrivateTmp=yes (")) == "not supported"
    assert any(line.startswith("ReadOnlyDirectories=/etc (ReadOnlyPaths= today)") for line in lines)
    assert not any("Whatever" in line or "X-Mine" in line for line in lines)
    assert f"{units}/web.service.d/10-more.conf:\n" in run.out
    together = run.out.split("Together:\n")[1].splitlines()
    assert "  RestartUSec=1.500000s  # web.service:10" in together
    assert "  LimitNOFILE=200  # web.service:11" in together and "  LimitNOFILESoft=100  # web.service:11" in together
    assert "  ExecStart={ path=/bin/false ; argv[]=/bin/false ; ignore_errors=no }  # 10-more.conf:3" in together
    assert f"{units}/web.service:13: " in run.err and len(run.err.splitlines()) == 1
    assert "\033" not in run.out


def test_explain_json(world, units):
    told = json.loads(ask(world, units, "explain", "--json", "alias.service").out)
    assert (told["unit"], told["path"]) == ("web.service", f"{units}/web.service")
    assert told["dropIns"] == [f"{units}/web.service.d/10-more.conf"]
    by_line = {(d["file"].rsplit("/", 1)[1], d["line"]): d for d in told["directives"]}
    assert by_line["web.service", 6] == {"section": "Service", "key": "PrivateTmp", "value": "yes", "honour": "not supported",
                                         "how": by_line["web.service", 6]["how"], "file": f"{units}/web.service", "line": 6}
    assert by_line["web.service", 6]["how"] and by_line["web.service", 2]["how"] is None
    assert by_line["10-more.conf", 4]["value"] == "A=1"
    values = told["properties"]
    assert sorted(values["Names"].split()) == ["alias.service", "web.service"]
    assert values["Environment"] == "A=1" and values["KillMode"] == "control-group" and values["UMask"] == "0022"
    assert values["TimeoutStopUSec"] == "1min 30s" and values["After"] == "late.service" and values["Type"] == "simple"


def test_explain_all(world):
    table = [line.split("\t") for line in world.run("explain", "--all", code=0).out.splitlines()]
    assert {row[2].partition(",")[0] for row in table} == {"applied", "emulated", "ignored", "not supported", "old name"}
    assert ["Service", "BlockIOWeight", "old name", "IOWeight"] in table
    assert [row for row in table if row[:2] == ["Service", "SystemCallFilter"]][0][2] == "not supported, security"
    told = json.loads(world.run("explain", "--all", "--json", code=0).out)
    assert len(told) == len(table) > 350


@pytest.mark.parametrize("name, code, said", [
    ("nosuch", 5, "nosuch: there is no such unit"),
    ("masked", 1, "masked: it is masked"),
    ("no such name", 1, "no such name: not a name of a unit"),
    ("/nosuch/file.service", 5, "/nosuch/file.service: there is no such unit"),
    ("bad", 1, "bad: it cannot be used"),
])
@pytest.mark.parametrize("verb", ["explain", "verify"])
def test_cannot_be_used(world, units, verb, name, code, said):
    run = ask(world, units, verb, name, code=code)
    assert run.out == "" and run.err.splitlines()[-1] == f"amphid: {said}"


def test_usage(world):
    for words in (["explain"], ["verify"], ["verify", "--json", "a"], ["explain", "--all", "a"], ["list", "--all"],
                  ["list", "--unit-path=/x"], ["verify", "--fork", "a"]):
        run = world.run(*words, code=2)
        assert len(run.err.splitlines()) == 1 and run.err.startswith("amphid: ")


def test_verify(world, units):
    run = ask(world, units, "verify", "needy", code=1)
    file = f"{units}/needy.service"
    assert run.err.splitlines() == [
        f"{file}:11: TasksMax=: not supported: no limit of a control group is set here",
        f"{file}:6: ExecStart=: /nosuch/program does not exist or is not executable",
        f"{file}:8: User=: there is no user nosuchuser",
        f"{file}:9: SupplementaryGroups=: there is no group nosuchgroup",
        f"{file}:2: Requires=: missing.service: there is no such unit",
    ]
    assert ask(world, units, "verify", "late", "closed", "dynamic").err == ""
    run = ask(world, units, "verify", "open", "late", "wrong", code=1)
    assert [line.split(":")[1] for line in run.err.splitlines()] == ["3", "4", "3"]
    assert ask(world, units, "verify", "late", "nosuch", "open", code=5)
    run = ask(world, units, "verify", "cycle", code=1)
    assert "cycle.service after b.service after cycle.service" in run.err and len(run.err.splitlines()) == 1


@pytest.mark.root
@pytest.mark.private
def test_not_enforced_is_said_at_every_start(world, units):
    """PrivateTmp=no takes nothing away: nothing is to be said."""
    run = world.run(f"--unit-path={units}", "run", "--wait", "open.service")
    assert run.err.count("not enforced") == 1 and "PrivateTmp= and ProtectHome=" in run.err
    run = world.run(f"--unit-path={units}", "run", "--wait", "closed.service", code=0)
    assert "not enforced" not in run.err


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("name, reason", [("open", "PrivateTmp= and ProtectHome= cannot be enforced here"),
                                          ("wrong", "1 of its settings cannot be used"), ("closed", None)])
def test_strict(world, units, name, reason):
    run = world.run("--strict", f"--unit-path={units}", "run", "--wait", f"{name}.service")
    assert (run.code == 0) == (reason is None), run
    assert reason is None or f"--strict: {reason}" in run.err

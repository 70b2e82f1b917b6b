"""-p KEY=VALUE: each directive, seen from inside the child."""
import os
import resource

import pytest

import sandbox


def inside(world, script, *args, **kw):
    """What a shell in the child prints."""
    return world.run("-n", "web", *args, "--", "sh", "-c", script, code=0, **kw).out.strip()


def properties(*values):
    return [word for value in values for word in ("-p", value)]


def proc(world, field, *args, **kw):
    """A field of /proc/self/status of the child."""
    text = world.run("-n", "web", *args, "--", "cat", "/proc/self/status", code=0, **kw).out
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)[field].strip()


def limit(world, name, *args, **kw):
    out = inside(world, f"grep '^{name} ' /proc/self/limits", *args, **kw)
    return tuple(out[len(name):].split()[:2])


# --- who

@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("args", [properties(f"User={sandbox.USER}"), properties(f"User={sandbox.UID}"),
                                  [f"--uid={sandbox.USER}"]], ids=["name", "number", "option"])
def test_user(world, args):
    """The user, his group, and the groups he is a member of."""
    assert inside(world, "id -u; id -ru; id -g; id -G", *args).split() == [
        *[str(sandbox.UID)] * 3, str(sandbox.UID), str(sandbox.EXTRA_GID)]


@pytest.mark.root
@pytest.mark.private
def test_user_gets_his_variables(world):
    out = inside(world, 'echo "$USER $LOGNAME $HOME"', "-p", f"User={sandbox.USER}")
    assert out == f"{sandbox.USER} {sandbox.USER} {sandbox.HOME}"


@pytest.mark.root
@pytest.mark.private
@pytest.mark.parametrize("args", [properties(f"Group={sandbox.EXTRA}"), [f"--gid={sandbox.EXTRA_GID}"]])
def test_group(world, args):
    assert inside(world, "id -u; id -g", *args).split() == ["0", str(sandbox.EXTRA_GID)]


@pytest.mark.root
@pytest.mark.private
def test_supplementary_groups(world):
    groups = inside(world, "id -G", *properties(f"User={sandbox.USER}", f"SupplementaryGroups={sandbox.MORE}"))
    assert set(groups.split()) == {str(sandbox.UID), str(sandbox.EXTRA_GID), str(sandbox.MORE_GID)}


@pytest.mark.root
@pytest.mark.private
def test_roots_groups_do_not_go_with_another_user(world):
    assert inside(world, "id -G", "-p", f"User={sandbox.USER}", extra_groups=[4, 27]) == \
        f"{sandbox.UID} {sandbox.EXTRA_GID}"


@pytest.mark.root
@pytest.mark.private
def test_no_way_back_to_root(world):
    assert proc(world, "Uid", "-p", f"User={sandbox.USER}").split() == [str(sandbox.UID)] * 4
    assert int(proc(world, "CapEff", "-p", f"User={sandbox.USER}"), 16) == 0
    assert int(proc(world, "CapPrm", "-p", f"User={sandbox.USER}"), 16) == 0


@pytest.mark.user
def test_a_user_may_name_himself(world):
    assert inside(world, "id -u", "-p", f"User={world.uid}") == str(world.uid)


# --- where, with what mask

@pytest.mark.parametrize("args", [properties("WorkingDirectory=/usr/share"), ["--working-directory=/usr/share"]])
def test_working_directory(world, args):
    assert inside(world, "pwd -P", *args) == "/usr/share"


@pytest.mark.root
@pytest.mark.private
def test_working_directory_home(world):
    assert inside(world, "pwd -P", *properties(f"User={sandbox.USER}", "WorkingDirectory=~")) == sandbox.HOME


def test_the_foreground_stays_where_it_is(world):
    assert inside(world, "pwd -P") == str(world.work)


def test_the_directory_is_entered_as_the_user(world):
    """A directory closed to the user is no working directory of his: 200, not root's look inside."""
    closed = world.work / "closed"
    closed.mkdir(mode=0)
    user = properties(f"User={sandbox.USER}") if world.who == "root" else []
    world.run("-n", "web", f"--log=file:{world.log}", *user, "-p", f"WorkingDirectory={closed}", "--", "true", code=200)
    closed.chmod(0o700)


@pytest.mark.parametrize("value", ["0027", "077", "0"])
def test_umask(world, value):
    assert int(inside(world, "umask", "-p", f"UMask={value}"), 8) == int(value, 8)


# --- environment

@pytest.mark.parametrize("value, wanted", [
    ("A=1", {"A": "1"}),
    ("A=1 B=2", {"A": "1", "B": "2"}),
    ('"A=one two" B=3', {"A": "one two", "B": "3"}),
    ("'A=one \"two\"'", {"A": 'one "two"'}),
    ("A=", {"A": ""}),
    (r'"A=a\tb"', {"A": "a\tb"}),
    (r'"A=quo\"te"', {"A": 'quo"te'}),
    ("FOO=changed", {"FOO": "changed"}),
    ("A=b=c", {"A": "b=c"}),
])
def test_environment(world, value, wanted):
    out = inside(world, "env -0 | tr '\\0' '\\1'", "-p", f"Environment={value}")
    environ = dict(entry.split("=", 1) for entry in out.split("\x01") if entry)
    assert {key: environ.get(key) for key in wanted} == wanted


def test_environment_adds_up_and_is_reset(world):
    assert inside(world, "echo $A $B", *properties("Environment=A=1", "Environment=B=2")) == "1 2"
    assert inside(world, "echo $A $B", *properties("Environment=A=1", "Environment=", "Environment=B=2")) == "2"


def test_setenv(world):
    assert inside(world, 'echo "$A"', "--setenv", "A=one two 'three'") == "one two 'three'"


def test_environment_file(world):
    path = world.dir / "env"
    path.write_text("# a comment\n; another\n\nA=1\nB=\"two words\"\nC='its'\n"
                    "D=con\\\ntinued\nFOO=file\n  E=  trimmed  \n")
    out = inside(world, 'echo "$A|$B|$C|$D|$FOO|$E"', "-p", f"EnvironmentFile={path}")
    assert out == "1|two words|its|continued|file|trimmed"


def test_environment_file_wins_over_environment(world):
    """systemd.exec(5): settings from files override those of Environment=."""
    path = world.dir / "env"
    path.write_text("A=file\n")
    assert inside(world, "echo $A", *properties(f"EnvironmentFile={path}", "Environment=A=line")) == "file"


def test_environment_file_missing(world):
    assert inside(world, "echo there", "-p", "EnvironmentFile=-/no/such/file") == "there"
    run = world.run("-n", "web", "-p", "EnvironmentFile=/no/such/file", "--", "true")
    assert run.code not in (0, 2) and "/no/such/file" in run.err


# --- scheduling, limits

@pytest.mark.parametrize("args", [properties("Nice=7"), ["--nice=7"]])
def test_nice(world, args):
    assert inside(world, "nice", *args) == "7"


@pytest.mark.root
def test_nice_below_zero(world):
    assert inside(world, "nice", "-p", "Nice=-3") == "-3"


@pytest.mark.parametrize("value, wanted", [("300", ("300", "300")), ("200:300", ("200", "300"))])
def test_limit_nofile(world, value, wanted):
    assert limit(world, "Max open files", "-p", f"LimitNOFILE={value}") == wanted


@pytest.mark.parametrize("directive, name, wanted", [
    ("LimitCORE=0", "Max core file size", ("0", "0")),
    ("LimitFSIZE=1M", "Max file size", ("1048576", "1048576")),
    ("LimitCPU=90", "Max cpu time", ("90", "90")),
    ("LimitSTACK=4M:8M", "Max stack size", ("4194304", "8388608")),
    ("LimitNPROC=100:200", "Max processes", ("100", "200")),
    ("LimitMEMLOCK=64K", "Max locked memory", ("65536", "65536")),
    ("LimitSIGPENDING=10", "Max pending signals", ("10", "10")),
    ("LimitMSGQUEUE=1K", "Max msgqueue size", ("1024", "1024")),
    ("LimitRTTIME=2s", "Max realtime timeout", ("2000000", "2000000")),
    ("LimitDATA=infinity", "Max data size", ("unlimited", "unlimited")),
])
def test_limits(world, directive, name, wanted):
    if os.geteuid() != 0:
        resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))
    assert limit(world, name, "-p", directive) == wanted


def test_limits_are_the_childs_only(world):
    with world.forked("-p", "LimitNOFILE=77") as daemon:
        assert "77" in next(line for line in daemon.only_child().read("limits").splitlines() if "open files" in line)
        assert " 77 " not in next(line for line in daemon.read("limits").splitlines() if "open files" in line)


def test_oom_score_adjust(world):
    assert inside(world, "cat /proc/self/oom_score_adj", "-p", "OOMScoreAdjust=321") == "321"


@pytest.mark.root
def test_oom_score_adjust_below_zero(world):
    if not sandbox.capable(sandbox.CAP_SYS_RESOURCE):
        pytest.skip("needs CAP_SYS_RESOURCE, which root does not have here")
    with world.forked("-p", "OOMScoreAdjust=-321") as daemon:
        assert daemon.only_child().read("oom_score_adj") == "-321\n"
        assert daemon.read("oom_score_adj") != "-321\n"


@pytest.mark.parametrize("value, wanted", [("yes", "1"), ("no", "0"), ("true", "1"), ("on", "1"), ("0", "0")])
def test_no_new_privileges(world, value, wanted):
    assert proc(world, "NoNewPrivs", "-p", f"NoNewPrivileges={value}") == wanted


# --- logging

@pytest.mark.private
def test_syslog_identifier_and_facility(world):
    syslog = world.syslog()
    world.run("--log=syslog", "-n", "web", *properties("SyslogIdentifier=shop", "SyslogFacility=local3"), "--mode=fork",
              "-p", "Type=oneshot", "--", "echo", "hello", code=0)
    text = syslog.until_text("hello")
    assert " shop[" in text and text.startswith("<158>")  # local3 is 19, info is 6
    syslog.until_text("stage=stopped")
    world.settle()


# --- in fork mode they are the child's, not the daemon's

@pytest.mark.root
@pytest.mark.private
def test_in_fork_mode(world):
    with world.forked(*properties(f"User={sandbox.USER}", "UMask=027", "WorkingDirectory=/usr", "Nice=4",
                                  "NoNewPrivileges=yes")) as daemon:
        child = daemon.only_child()
        assert child.status()["Uid"].split()[0] == str(sandbox.UID)
        assert child.status()["Umask"] == "0027" and child.cwd() == "/usr"
        assert child.status()["NoNewPrivs"] == "1" and os.getpriority(os.PRIO_PROCESS, child.pid) == 4
        assert daemon.status()["Uid"].split()[0] == "0" and daemon.cwd() == "/"
        assert daemon.status()["NoNewPrivs"] == "0"
        assert os.getpriority(os.PRIO_PROCESS, daemon.pid) == os.getpriority(os.PRIO_PROCESS, 0)

"""Many services at once: how long until all run, what the supervisors need for it, and do they sleep then."""
import os
import time

import world
from contestants import Contestant, service_directory
from measures import COMMAND, rollup, switches
from report import number, table
from supervision import stamps

SETTLED_SECONDS = 6


def directories(where, command, count):
    """s6, runit and daemontools: as many service directories."""
    for i in range(count):
        os.mkdir(f"{where}/{i}")
        service_directory(f"{where}/{i}", command)
        os.rename(f"{where}/{i}/job", f"{where}/job{i}")
        os.rmdir(f"{where}/{i}")


def units(where, command, count):
    """amphid: as many unit files, and a target that wants all of them."""
    os.mkdir(f"{where}/all.target.wants")
    with open(f"{where}/all.target", "w", encoding="utf-8") as file:
        file.write("[Unit]\nDescription=All jobs\n")
    for i in range(count):
        with open(f"{where}/job{i}.service", "w", encoding="utf-8") as file:
            file.write(f"[Unit]\nDescription=Job {i}\n\n[Service]\nExecStart={command}\nRestart=always\n")
        os.symlink(f"../job{i}.service", f"{where}/all.target.wants/job{i}.service")


def supervisord_config(where, command, count):
    with open(f"{where}/conf", "w", encoding="utf-8") as file:
        file.write(f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={where}/pid\nminfds=8192\n"
                   f"childlogdir={where}\n")
        for i in range(count):
            file.write(f"[program:job{i}]\ncommand={command}\nautorestart=true\nstartsecs=0\n"
                       "stdout_logfile=NONE\nstderr_logfile=NONE\n")


CROWDS = [
    Contestant("amphid", None, "{amphid} --fork --unit-path={dir} -n crowd all.target", units),
    Contestant("s6", None, "/usr/bin/s6-svscan -c 1100 {dir}", directories),
    Contestant("runit", None, "/usr/bin/runsvdir -P {dir}", directories),
    Contestant("daemontools", None, "/usr/bin/svscan {dir}", directories),
    Contestant("supervisord", None, "/usr/bin/supervisord -c {dir}/conf", supervisord_config),
]


def supervisors(amphid):
    """PIDs of all that is not COMMAND itself."""
    return [pid for pid, _ in world.marked(amphid) if world.executable(pid) not in (COMMAND, None)]


def memory(pids):
    figures = [rollup(pid) for pid in pids]
    return {"processes": len(pids), "dirty_kb": sum(f["Private_Dirty"] for f in figures),
            "rss_kb": sum(f["Rss"] for f in figures)}


def one(crowd, amphid, count, passes, idle_seconds):
    """The best way to see how long it takes is to do it several times; the rest is looked at in the last pass."""
    took, result, before_all = [], {}, world.cgroups()
    for turn in range(passes):
        contestant = crowd._replace(prepare=lambda where, command: crowd.prepare(where, command, count))
        argv = world.fill(crowd.supervise, contestant, amphid, COMMAND, f"crowd{turn}")
        begin = time.monotonic_ns()
        world.start(crowd.name, argv)
        if not world.wait_until(lambda: len(stamps()) >= count, 120):
            raise RuntimeError(f"{crowd.name}: {len(stamps())} of {count} were started")
        took.append((max(stamps()) - begin) / 1e6)
        if turn == passes - 1:
            time.sleep(SETTLED_SECONDS)
            pids = supervisors(amphid)
            result, before = memory(pids), sum(map(switches, pids))
            time.sleep(idle_seconds)
            result["wakeups"] = sum(map(switches, pids)) - before
        world.clear(amphid)
        world.tidy(before_all)  # what those who were killed have left is not the next pass's to find
    return {**result, "all_ms": sorted(took)[len(took) // 2], "fastest_ms": min(took), "count": count}


def scale(amphid, count, passes, idle_seconds, realtime):
    """One crowd after the other: a thousand processes are company enough. @realtime: everybody else on the machine has to wait;
    all that is started inherits it."""
    if realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    return {crowd.name: one(crowd, amphid, count, passes, idle_seconds) for crowd in CROWDS}


def tables(results):
    rows = [[name, r["count"], number(r["all_ms"]), number(r["fastest_ms"]), r["processes"], r["rss_kb"], r["dirty_kb"],
             number(r["dirty_kb"] / r["count"], ".2f"), r["wakeups"]] for name, r in results["scale"].items()]
    table("Many services in one instance", ["", "services", "all run, ms", "fastest", "processes", "RSS kB",
                                            "private dirty kB", "a service", "wake-ups"], rows)


def targets(results):
    own, peer = results["scale"]["amphid"], results["scale"]["daemontools"]
    yield "all run, x daemontools", own["all_ms"] / peer["all_ms"], 0.6
    yield "private dirty kB a service", own["dirty_kb"] / own["count"], 2
    yield "wake-ups of an idle crowd", own["wakeups"], 0

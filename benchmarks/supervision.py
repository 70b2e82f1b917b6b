"""What is measured of those that keep COMMAND running: restarts() and its stops, throttle()."""
import os
import random
import statistics
import subprocess
import time

import world
from measures import COMMAND, STAMP_SIZE

BRIEF = str(world.BIN / "brief")
# daemontools, runit and supervisord make whoever has run for less than a second wait for the next start.
SETTLED_SECONDS = 2.3
THROTTLE_SECONDS = 6


def stamps():
    """When each COMMAND ran, monotonic ns."""
    try:
        with open(world.STAMP, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return []
    numbers = [int.from_bytes(data[at:at + 8], "little") for at in range(0, len(data) // STAMP_SIZE * STAMP_SIZE, 8)]
    return [seconds * 10**9 + ns for seconds, ns in zip(numbers[::2], numbers[1::2])]


def commands():
    """keeper -> PID of its COMMAND."""
    return {name: pid for pid, name in world.marked() if world.executable(pid) == COMMAND}


def next_stamp(seen, seconds=10):
    """The time of the start that follows the @seen ones; None: there was none."""
    return stamps()[seen] if world.wait_until(lambda: len(stamps()) > seen, seconds) else None


def summary(samples):
    """Of ns, in µs."""
    ordered = sorted(ns / 1e3 for ns in samples if ns)
    if not ordered:
        return {"missed": len(samples)}
    return {"median_us": statistics.median(ordered), "p10_us": ordered[len(ordered) // 10],
            "p90_us": ordered[len(ordered) * 9 // 10], "missed": len(samples) - len(ordered)}


def kill_and_wait(pid):
    """SIGKILL of a COMMAND: ns until the next one's main()."""
    seen, begin = len(stamps()), time.monotonic_ns()
    os.kill(pid, 9)
    ran = next_stamp(seen)
    return ran - begin if ran else None


def start(keeper, amphid, begin=False):
    """COMMAND runs (again). Who was stopped may still be there, and would refuse a second one: daemon(1) returns before it ends."""
    world.wait_until(lambda: begin or keeper.start or keeper.name not in dict(world.marked()).values(), 10)
    seen = len(stamps())
    template = keeper.supervise if begin or not keeper.start else keeper.start
    starter = world.start(keeper.name, world.fill(template, keeper, amphid, COMMAND, "restart"))
    if next_stamp(seen, 20) is None:
        raise RuntimeError(f"{keeper.name} has not started COMMAND")
    return starter


def stop(keeper, amphid, pid):
    """ns until COMMAND has ended, and until the program that asked for it has returned."""
    argv = world.fill(keeper.stop, keeper, amphid, COMMAND, "restart")
    done = subprocess.run([world.BIN / "stopwatch", str(pid), *argv], stdout=subprocess.PIPE, text=True, check=True, cwd="/")
    return [int(number) or None for number in done.stdout.split()[:2]]


def restarts(keepers, amphid, rounds, realtime):
    """All keepers at once; what is done to one of them is over before the next has its turn. @realtime: everybody else on the
    machine has to wait; all that is started inherits it."""
    if realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    for keeper in keepers:
        start(keeper, amphid, begin=True)
    samples = {keeper.name: {"restart": [], "gone": [], "returned": []} for keeper in keepers}
    for _ in range(rounds):
        for keeper in random.sample(keepers, len(keepers)):
            time.sleep(0.05)  # the last one puts its things in order
            samples[keeper.name]["restart"].append(kill_and_wait(commands()[keeper.name]))
        time.sleep(SETTLED_SECONDS)
    for _ in range(rounds):
        for keeper in random.sample(keepers, len(keepers)):
            gone, returned = stop(keeper, amphid, commands()[keeper.name])
            samples[keeper.name]["gone"].append(gone)
            samples[keeper.name]["returned"].append(returned)
            start(keeper, amphid)
        time.sleep(SETTLED_SECONDS)
    world.clear(amphid)
    return {name: {what: summary(numbers) for what, numbers in all_.items()} for name, all_ in samples.items()}


def cpu_ms(amphid):
    """Processor time of all that was started and still is there, and of its children that are not."""
    ticks = 0
    for pid, _ in world.marked(amphid):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def throttle(keepers, amphid):
    """One at a time, with a COMMAND that ends with 1 at once."""
    results = {}
    for keeper in keepers:
        world.start(keeper.name, world.fill(keeper.supervise, keeper, amphid, BRIEF, "brief"))
        time.sleep(THROTTLE_SECONDS)
        ran = stamps()
        gaps = [(b - a) / 1e6 for a, b in zip(ran, ran[1:])]
        results[keeper.name] = {"starts": len(ran), "gap_ms": statistics.median(gaps) if gaps else None,
                                "longest_ms": max(gaps, default=None),
                                "cpu_percent": cpu_ms(amphid) / 10 / THROTTLE_SECONDS}
        world.clear(amphid)
    return results

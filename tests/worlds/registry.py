"""The one list of scenarios, each of which runs in every world."""

SCENARIOS = []


def scenario(fn=None, *, unless=None):
    """Adds @fn(world) to the list. @unless(world) returns the reason why a world really cannot run it, or None."""
    def add(f):
        f.unless = unless or (lambda _w: None)
        SCENARIOS.append(f)
        return f
    return add(fn) if fn else add

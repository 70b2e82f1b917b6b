"""The README's command for the tests, elsewhere: with the compilers, libraries and Pythons of other releases of Debian, and in a
container in which root has no rights to speak of."""
import re
from pathlib import Path

import inits
import package

ONLY = tuple(inits.QUICK_WORLDS)
LEAST = 800  # process tests that run without a mount namespace, too


def test_quick(empty_world):
    w = empty_world
    package.copy_source(Path(w.path('/src')))
    r = w.run(['/src/tests/run', 'quick'], check=False, timeout=600)
    assert r.returncode == 0, f'exit {r.returncode}\n{r.stdout}\n{r.stderr}'
    assert 'installing' not in r.stdout, 'a package is missing in the root'
    assert int(re.search(r'^ok +process .* (\d+) passed', r.stdout, re.M)[1]) > LEAST, r.stdout
    print(r.stdout)

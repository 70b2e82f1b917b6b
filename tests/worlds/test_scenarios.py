"""Runs the one list of scenarios in every world: test_scenarios.py::test_scenario[systemd-257-oneshot]."""
import pytest

import scen_around
import scen_failures
import scen_faults
import scen_keep
import scen_life
import scen_programs
import scen_units
from registry import SCENARIOS

# Importing them fills the list.
MODULES = (scen_life, scen_failures, scen_around, scen_keep, scen_programs, scen_units, scen_faults)


@pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda f: f.__name__)
def test_scenario(world, scenario):
    reason = scenario.unless(world)
    if reason:
        pytest.skip(reason)
    scenario(world)

"""How long the machines run: few examples, always the same, with the suite; more by hand.

EXAMPLES=2000 STEPS=80 SHRINK=1 .venv/bin/pytest tests/machine --database=postgres
"""

import os

from hypothesis import HealthCheck, Phase, settings

_wanted = os.environ.get("EXAMPLES")
_phases = [Phase.explicit, Phase.generate]
if os.environ.get("SHRINK"):
    # Takes minutes: for whoever looks into what was found.
    _phases.append(Phase.shrink)


def examples(few: int, steps: int = 50) -> settings:
    """Drawn anew in a long run; the same each time in the suite, so that it says the same twice."""
    return settings(
        max_examples=int(_wanted or few),
        stateful_step_count=int(os.environ.get("STEPS", steps)),
        derandomize=_wanted is None,
        database=None,
        deadline=None,
        phases=_phases,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )

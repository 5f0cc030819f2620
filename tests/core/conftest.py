"""How many examples the property tests try, by DRIP_HYPOTHESIS: quick (the default), full (`make test`), or search.

- `quick` needs seconds, for work on the core.
- `full` tries 2,000 examples of each property, which is the depth that the project promises.
- `search` tries ten times as many, and others each time. Add what a search finds as an example to a test.

`quick` and `full` try the same examples each time, so a run depends on the code and not on luck.
"""

import os

from hypothesis import HealthCheck, settings

# Examples take long to draw, and a slow machine is not a failure.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=20, derandomize=True, **COMMON)
settings.register_profile("full", max_examples=2000, derandomize=True, **COMMON)
settings.register_profile("search", max_examples=20_000, **COMMON)
settings.load_profile(os.environ.get("DRIP_HYPOTHESIS", "quick"))

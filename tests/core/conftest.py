"""How much the property tests try, by DRIP_HYPOTHESIS: full (the default, the promise), quick, or search.

`full` draws the same examples every time, so that a run says something about the code and not about luck; `search` draws
ten times as many, and others each time. What a search finds becomes an example in a test.
"""

import os

from hypothesis import HealthCheck, settings

# The examples are slow to draw rather than numerous, and a slow machine is not a failure.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("full", max_examples=2000, derandomize=True, **COMMON)
settings.register_profile("quick", max_examples=100, **COMMON)
settings.register_profile("search", max_examples=20_000, **COMMON)
settings.load_profile(os.environ.get("DRIP_HYPOTHESIS", "full"))

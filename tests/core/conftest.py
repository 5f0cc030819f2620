"""How much the property tests try: DRIP_HYPOTHESIS=quick for a first answer, full (the default) for the promise."""

import os

from hypothesis import HealthCheck, settings

# The examples are slow to draw rather than numerous, and a slow machine is not a failure.
settings.register_profile(
	"full", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
	"quick", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("DRIP_HYPOTHESIS", "full"))

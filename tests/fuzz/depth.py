"""How many examples a test tries that needs the site: far fewer than a test of the core, whose examples take no time."""

import os

from hypothesis import HealthCheck, settings

FACTORS = {"quick": 1, "full": 1, "search": 25}


def examples(count: int) -> settings:
	"""Return settings with `count` examples in `make test`, and 25 times as many, and others each time, in `make fuzz`."""
	profile = os.environ.get("DRIP_HYPOTHESIS", "quick")
	return settings(
		max_examples=count * FACTORS[profile],
		derandomize=profile != "search",
		deadline=None,
		suppress_health_check=[
			HealthCheck.too_slow,
			HealthCheck.function_scoped_fixture,
			HealthCheck.data_too_large,
		],
	)

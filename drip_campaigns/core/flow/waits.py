"""The wait kinds by what a step waits for. Each is a file in `wait_kinds/`; another app can add some to a site's."""

from collections.abc import Mapping

from drip_campaigns.core.flow.wait_kind import Awaited
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.flow.wait_kinds.field_value import FieldWait

BUILT_IN_WAITS: Mapping[str, type[Awaited]] = {
	kind: awaited for awaited in (EventWait, FieldWait, DateWait, ClockWait) for kind in awaited.kinds
}

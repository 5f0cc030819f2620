"""The wait kinds by what a step waits for. Each is a file in `wait_kinds/`."""

from drip_campaigns.core.flow.wait_kind import Awaited, WaitFor
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.flow.wait_kinds.field_value import FieldWait

WAIT_KINDS: dict[WaitFor, type[Awaited]] = {
	kind: awaited for awaited in (EventWait, FieldWait, DateWait, ClockWait) for kind in awaited.kinds
}

"""The wait kinds of a site by their pure part."""

from drip_campaigns.core.flow.wait_kind import Awaited
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.flow.wait_kinds.field_value import FieldWait
from drip_campaigns.plans.wait_kind import WaitKind
from drip_campaigns.plans.wait_kinds.clock_time import ClockWaitKind
from drip_campaigns.plans.wait_kinds.date_field import DateWaitKind

WAIT_KINDS: dict[type[Awaited], WaitKind] = {
	EventWait: WaitKind(),
	FieldWait: WaitKind(),
	DateWait: DateWaitKind(),
	ClockWait: ClockWaitKind(),
}

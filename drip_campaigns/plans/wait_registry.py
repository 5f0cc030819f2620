"""The wait kinds of a site by their pure part. Another app adds kinds under the hook `drip_wait_kinds`."""

from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.flow.wait_kinds.field_value import FieldWait
from drip_campaigns.plans.wait_kind import WaitKind
from drip_campaigns.plans.wait_kinds.clock_time import ClockWaitKind
from drip_campaigns.plans.wait_kinds.date_field import DateWaitKind
from drip_campaigns.site.kind_registry import KindRegistry

WAIT_KINDS: KindRegistry[WaitKind] = KindRegistry(
	"drip_wait_kinds",
	(WaitKind(EventWait), WaitKind(FieldWait), DateWaitKind(), ClockWaitKind()),
	key=lambda kind: kind.awaited,
)

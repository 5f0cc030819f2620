"""The condition kinds by what a JSON value calls them, in the order in which the form offers them.

Another app adds kinds under the hook `drip_condition_kinds`.
"""

from drip_campaigns.plans.condition_kind import ConditionKind
from drip_campaigns.plans.condition_kinds.campaign import CampaignCondition
from drip_campaigns.plans.condition_kinds.email_group import GroupCondition
from drip_campaigns.plans.condition_kinds.event import EventCondition
from drip_campaigns.plans.condition_kinds.expression import ExpressionCondition
from drip_campaigns.plans.condition_kinds.field import FieldCondition
from drip_campaigns.plans.condition_kinds.tag import TagCondition
from drip_campaigns.plans.condition_kinds.target_list import ListCondition
from drip_campaigns.site.kind_registry import KindRegistry

CONDITION_KINDS: KindRegistry[ConditionKind] = KindRegistry(
	"drip_condition_kinds",
	(
		FieldCondition(),
		EventCondition(),
		TagCondition(),
		ListCondition(),
		GroupCondition(),
		CampaignCondition(),
		ExpressionCondition(),
	),
	key=lambda kind: kind.test.kind,
)

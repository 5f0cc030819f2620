"""The condition kinds by what a JSON value calls them, in the order in which the form offers them."""

from drip_campaigns.plans.condition_kind import ConditionKind
from drip_campaigns.plans.condition_kinds.campaign import CampaignCondition
from drip_campaigns.plans.condition_kinds.email_group import GroupCondition
from drip_campaigns.plans.condition_kinds.event import EventCondition
from drip_campaigns.plans.condition_kinds.expression import ExpressionCondition
from drip_campaigns.plans.condition_kinds.field import FieldCondition
from drip_campaigns.plans.condition_kinds.tag import TagCondition
from drip_campaigns.plans.condition_kinds.target_list import ListCondition

CONDITION_KINDS: dict[str, ConditionKind] = {
	kind.test.kind: kind
	for kind in (
		FieldCondition(),
		EventCondition(),
		TagCondition(),
		ListCondition(),
		GroupCondition(),
		CampaignCondition(),
		ExpressionCondition(),
	)
}

"""The action kinds, in the order in which the form offers them. Another app adds kinds under the hook `drip_action_kinds`."""

from drip_campaigns.actions.kind import Action
from drip_campaigns.actions.kinds.add_tag import AddTag
from drip_campaigns.actions.kinds.add_to_list import AddToList
from drip_campaigns.actions.kinds.assign_todo import AssignTodo
from drip_campaigns.actions.kinds.call_webhook import CallWebhook
from drip_campaigns.actions.kinds.create_document import CreateDocument
from drip_campaigns.actions.kinds.enroll_in_campaign import EnrollInCampaign
from drip_campaigns.actions.kinds.notify_user import NotifyUser
from drip_campaigns.actions.kinds.remove_from_campaign import RemoveFromCampaign
from drip_campaigns.actions.kinds.remove_from_list import RemoveFromList
from drip_campaigns.actions.kinds.remove_tag import RemoveTag
from drip_campaigns.actions.kinds.set_field import SetField
from drip_campaigns.site.kind_registry import KindRegistry

ACTION_KINDS: KindRegistry[Action] = KindRegistry(
	"drip_action_kinds",
	(
		SetField(),
		AddTag(),
		RemoveTag(),
		AssignTodo(),
		AddToList(),
		RemoveFromList(),
		EnrollInCampaign(),
		RemoveFromCampaign(),
		NotifyUser(),
		CallWebhook(),
		CreateDocument(),
	),
)

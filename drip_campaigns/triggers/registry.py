"""The trigger kinds, in the order in which the form offers them. Another app adds kinds under the hook `drip_trigger_kinds`."""

from drip_campaigns.site.kind_registry import KindRegistry
from drip_campaigns.triggers.kind import TriggerKind
from drip_campaigns.triggers.kinds.api_call import ApiCall
from drip_campaigns.triggers.kinds.campaign_completed import CampaignCompleted
from drip_campaigns.triggers.kinds.date_reached import DateReached
from drip_campaigns.triggers.kinds.email_opened import EmailOpened
from drip_campaigns.triggers.kinds.email_received import EmailReceived
from drip_campaigns.triggers.kinds.field_reached_value import FieldReachedValue
from drip_campaigns.triggers.kinds.joined_email_group import JoinedEmailGroup
from drip_campaigns.triggers.kinds.joined_target_list import JoinedTargetList
from drip_campaigns.triggers.kinds.link_clicked import LinkClicked
from drip_campaigns.triggers.kinds.purchase import Purchase
from drip_campaigns.triggers.kinds.record_created import RecordCreated
from drip_campaigns.triggers.kinds.sign_up_anniversary import SignUpAnniversary
from drip_campaigns.triggers.kinds.tag_added import TagAdded
from drip_campaigns.triggers.kinds.web_form_submitted import WebFormSubmitted

TRIGGER_KINDS: KindRegistry[TriggerKind] = KindRegistry(
	"drip_trigger_kinds",
	(
		RecordCreated(),
		FieldReachedValue(),
		TagAdded(),
		JoinedEmailGroup(),
		JoinedTargetList(),
		DateReached(),
		SignUpAnniversary(),
		Purchase(),
		LinkClicked(),
		EmailOpened(),
		CampaignCompleted(),
		WebFormSubmitted(),
		EmailReceived(),
		ApiCall(),
	),
)

"""The columns of the tables that batches read and write: the one place to add a column of an enrollment or an event.

A test compares them with the DocTypes. The other tables are written by `insert_records`, where the keys of a record are
the columns.
"""

STANDARD = ("name", "owner", "creation", "modified", "modified_by")

# Columns of an enrollment that are set when it begins
ENROLLMENT_ORIGIN = (
	*("name", "owner", "creation", "campaign", "recipient_type", "recipient", "recipient_name"),
	"recipient_created_at",
	*("sender", "target_list", "start_date", "started_at", "time_zone"),
)
# Columns that change as it goes through the campaign: each batch writes all of them
ENROLLMENT_STATE = (
	*("email_address", "status", "end_date", "next_step", "next_step_subject", "next_send_at"),
	*("paused_at", "paused_until", "exit_reason", "last_error", "attempts", "ended_at"),
	*("anchor_at", "anchor_hours", "reached_step", "reached_hours", "deferred_until", "deferred_reason"),
	*("jump_to", "waiting_since", "live_recipient", "live_address"),
	*("confirmation", "confirmation_asked_at"),
)
# Columns that only the functions for one purpose read and write
ENROLLMENT_OTHER = (
	*("require_confirmation", "own_paused_until", "confirmed_at", "unsubscribe_reason", "created_recipient"),
)

EVENT = (
	*(*STANDARD, "event_type", "occurred_at", "detail", "campaign", "enrollment", "drip_email", "step"),
	*("email_address", "is_bot", "link", "tracking_url"),
)
EVENT_OTHER = ("is_counted", "person_rank")

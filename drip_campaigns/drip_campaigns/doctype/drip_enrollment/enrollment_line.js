// The steps of an enrollment as a line: emails, actions, waits and branches in order, and then the planned steps.

async function draw_progress(frm) {
	const canvas = get_canvas(frm, "campaign").empty();
	if (frm.is_new()) return;
	const schedule = await read_from_desk("get_enrollment_schedule", { enrollment: frm.doc.name });
	canvas.html(schedule.length ? make_step_line(schedule.map((step) => make_stop(frm, step))) : "");
	canvas.on("click", "button[data-value]", (event) => retry_actions([$(event.currentTarget).attr("data-value")], () => frm.reload_doc()));
}

// Emails and actions by their status. A way is a wait that is over, or a branch that was followed.
const STATES_OF_STATUS = {
	Queued: "queued",
	Sending: "queued",
	Sent: "sent",
	Skipped: "skipped",
	Failed: "failed",
	"In Doubt": "failed",
	Waiting: "waiting",
	Running: "queued",
	Assigned: "waiting",
	Done: "sent",
	Branched: "passed",
};
const CLASS_OF_KIND = { Action: "action", Way: "way" };

function make_stop(frm, step) {
	const { status, sent_at, planned_at, subject, kind, action } = step;
	const moment_of = sent_at || planned_at;
	const state = STATES_OF_STATUS[status];
	const waits = !state && frm.doc.status === "Paused"; // its moment is known when the enrollment resumes
	const is_next = !waits && !state && step.step === frm.doc.next_step;
	const may_retry = kind === "Action" && state === "failed" && frm.perm[0].write;
	return {
		hours: moment_of ? moment(moment_of).valueOf() / 3600000 : 0,
		when: waits ? __("After the pause") : describe_when(step),
		subject: put_fields_in_brackets(subject || ""),
		state: state || (is_next ? "next" : "planned"),
		kind: CLASS_OF_KIND[kind],
		note: describe_stop(step, is_next),
		button: may_retry ? { label: __("Try Again"), value: action } : null,
	};
}

// A range where waits and branches decide when a step comes.
function describe_when({ sent_at, planned_at, planned_until, is_range }) {
	if (!sent_at && !planned_at) return __("Not planned");
	const earliest = describe_moment(sent_at || planned_at);
	if (!is_range) return earliest;
	return planned_until ? __("{0} to {1}", [earliest, describe_moment(planned_until)]) : __("{0} or later", [earliest]);
}

function describe_stop({ kind, status, reason }, is_next) {
	if (kind === "Way" && status === "Planned") return is_next ? __("Waits here") : __("Planned");
	if (kind !== "Action") return status === "In Doubt" ? __("In doubt") : reason && __(reason);
	if (status === "Assigned") return __("{0}: the next step waits until it is closed", [reason || __("To do")]);
	if (status === "Waiting" && reason) return __("Will be retried automatically: {0}", [reason]);
	if (status === "Failed") return __("Failed: {0}", [reason]);
	if (status === "In Doubt") return __("In doubt: {0}", [reason]);
	return reason || { Waiting: __("Waiting"), Running: __("In progress"), Done: __("Done") }[status];
}

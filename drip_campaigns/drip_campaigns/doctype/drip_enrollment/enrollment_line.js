// The steps of an enrollment as a line: emails, actions, waits and branches in order, and then what is planned.

async function draw_progress(frm) {
	const canvas = get_canvas(frm, "campaign").empty();
	if (frm.is_new()) return;
	const schedule = await read_from_desk("get_enrollment_schedule", { enrollment: frm.doc.name });
	canvas.html(schedule.length ? make_step_line(schedule.map((step) => make_stop(frm, step))) : "");
	canvas.on("click", "button[data-value]", (event) => retry_actions([$(event.currentTarget).attr("data-value")], () => frm.reload_doc()));
}

// Emails and actions by their status; a way is a wait that is over, or a branch taken.
const STATES_OF_STATUS = {
	Queued: "queued",
	Sending: "queued",
	Sent: "sent",
	Skipped: "skipped",
	Failed: "failed",
	"In Doubt": "failed",
	Waiting: "waiting",
	Trying: "queued",
	Assigned: "waiting",
	Done: "sent",
	"Branched": "passed",
};
const CLASS_OF_KIND = { Action: "action", Way: "way" };

function make_stop(frm, step) {
	const { status, sent_at, planned_at, subject, kind, action } = step;
	const moment_of = sent_at || planned_at;
	const state = STATES_OF_STATUS[status];
	const waits = !state && frm.doc.status === "Paused"; // its moment is known when it goes on
	const is_next = !waits && !state && step.step === frm.doc.next_step;
	const may_retry = kind === "Action" && state === "failed" && frm.perm[0].write;
	return {
		hours: moment_of ? moment(moment_of).valueOf() / 3600000 : 0,
		when: waits ? __("After the pause") : moment_of ? describe_moment(moment_of) : __("Not planned"),
		subject: put_fields_in_brackets(subject || ""),
		state: state || (is_next ? "next" : "planned"),
		kind: CLASS_OF_KIND[kind],
		note: describe_stop(step, is_next),
		button: may_retry ? { label: __("Try Again"), value: action } : null,
	};
}

function describe_stop({ kind, status, reason }, is_next) {
	if (kind === "Way" && status === "Planned") return is_next ? __("Waits here") : __("Planned");
	if (kind !== "Action") return status === "In Doubt" ? __("In doubt") : reason && __(reason);
	if (status === "Assigned") return __("{0}: the next step waits until it is closed", [reason || __("To do")]);
	if (status === "Waiting" && reason) return __("Tried again by itself: {0}", [reason]);
	if (status === "Failed") return __("Failed: {0}", [reason]);
	if (status === "In Doubt") return __("In doubt: {0}", [reason]);
	return reason || { Waiting: __("Waiting"), Trying: __("Being done"), Done: __("Done") }[status];
}

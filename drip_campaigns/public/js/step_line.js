// Steps as dots on a line of time: what happens when, and how far apart it is, however many steps there are.
// A form takes it in with an include; each stop is {state, when, subject, note, hours}, hours counted from the start. One that
// is no email has a kind (action, way), which gives its dot another shape; a button {label, value} stands below the note.

function make_step_line(stops) {
	const STATES = {
		planned: __("Planned"),
		next: __("Next"),
		queued: __("On its way"),
		sent: __("Sent"),
		skipped: __("Skipped"),
		failed: __("Failed"),
		disabled: __("Disabled"),
		waiting: __("Waiting"),
		passed: __("Passed"),
	};
	const escape = frappe.utils.escape_html;

	// The room between two dots grows with the time between them, but slower: a month must not hide the first week.
	const room = (i) => (i + 1 < stops.length ? Math.sqrt(Math.max(stops[i + 1].hours - stops[i].hours, 1) / 24) : 0);

	const items = stops.map((stop, i) => {
		const title = [stop.when, stop.subject, STATES[stop.state], stop.note].filter(Boolean).join("\n");
		const button = stop.button
			? `<button type="button" class="btn btn-xs btn-default" data-value="${escape(stop.button.value)}">${stop.button.label}</button>`
			: "";
		return `<li class="${stop.state} ${stop.kind || ""}" style="flex-grow: ${Math.max(room(i), 0.5).toFixed(2)}" title="${escape(title)}">
			<span class="dot"></span>
			<span class="when">${escape(stop.when)}</span>
			<span class="subject">${escape(stop.subject || "")}</span>
			<span class="note">${escape(stop.note || STATES[stop.state])}</span>${button}
		</li>`;
	});
	return `<ol class="drip-line">${items.join("")}</ol>`;
}

// A place at the top of the section of a field, as wide as the form, in which a form may draw.
function get_canvas(frm, fieldname) {
	const field = frm.get_field(fieldname);
	const section = $(field.wrapper).closest(".section-body");
	field.drip_canvas = field.drip_canvas || $('<div class="drip-canvas col-sm-12">').prependTo(section);
	return field.drip_canvas;
}

// A subject with its fields in brackets: [first name] reads better than a template.
function put_fields_in_brackets(subject) {
	return subject.replace(/{{\s*\w+\.(\w+)[^}]*}}/g, (all, field) => `[${field.replaceAll("_", " ")}]`);
}

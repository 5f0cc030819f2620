// Steps as dots on a timeline: what happens when, and how far apart.
// A form includes this file. Each stop is {state, when, subject, note, hours}, with hours counted from the start, or null
// if they are not known. A stop that isn't an email has a kind (action, way), which gives its dot another shape. A button
// {label, value} is shown below the note.

function make_step_line(stops) {
	const STATES = {
		planned: __("Planned"),
		next: __("Next"),
		queued: __("In the queue"),
		sent: __("Sent"),
		skipped: __("Skipped"),
		failed: __("Failed"),
		disabled: __("Disabled"),
		waiting: __("Waiting"),
		passed: __("Passed"),
	};
	const escape = frappe.utils.escape_html;

	// The space between two dots grows with the time between them, but slower, so that a month does not hide the first week.
	const room = (i) => {
		if (i + 1 >= stops.length) return 0;
		const is_known = stops[i].hours !== null && stops[i + 1].hours !== null;
		return Math.sqrt(Math.max(is_known ? stops[i + 1].hours - stops[i].hours : 0, 1) / 24);
	};

	const items = stops.map((stop, i) => {
		const { state, kind = "" } = stop;
		const title = [stop.when, stop.subject, STATES[stop.state], stop.note].filter(Boolean).join("\n");
		const button = stop.button
			? `<button type="button" class="btn btn-xs btn-default" data-value="${escape(stop.button.value)}">${escape(stop.button.label)}</button>`
			: "";
		return `<li class="${state} ${kind}" style="flex-grow: ${Math.max(room(i), 0.5).toFixed(2)}" title="${escape(title)}">
			<span class="dot"></span>
			<span class="when">${escape(stop.when)}</span>
			<span class="subject">${escape(stop.subject || "")}</span>
			<span class="note">${escape(stop.note || STATES[stop.state])}</span>${button}
		</li>`;
	});
	return `<ol class="drip-line">${items.join("")}</ol>`;
}

// An area at the top of a field's section, as wide as the form, where a form can draw.
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

// The template gallery: cards with the first email and the schedule. An opened card shows every email and creates a draft.

const LEAST_GAP = 44; // so that two labels do not touch
const LETTER = 6; // the width of a letter of a label
const TEMPLATE_API = "drip_campaigns.api.campaign_templates";

async function open_gallery() {
	await frappe.require("/assets/drip_campaigns/css/template_gallery.css");
	const { message } = await frappe.call({ method: "drip_campaigns.api.campaign_templates.list_templates", type: "GET", freeze: true });
	const dialog = new frappe.ui.Dialog({ title: __("New from Template"), size: "extra-large" });
	const cards = message.map((template) => make_card(template, () => open_template(dialog, template)));
	$('<div class="drip-gallery">').append(cards).appendTo(dialog.body);
	dialog.show();
}

function make_card(template, action) {
	const escape = frappe.utils.escape_html;
	const card = $(`<button type="button" class="drip-campaign-template">
		<span class="drip-sheet"></span>
		<span class="drip-words">
			<b>${escape(template.title)}</b>
			<span class="drip-about">${escape(template.description)}</span>
			${draw_timeline(template.steps)}
		</span>
	</button>`);
	card.find(".drip-sheet").append(make_sheet(template));
	return card.on("click", action);
}

// An email in a sandboxed frame without scripts and forms.
function make_sheet({ subject, html }) {
	const frame = $('<iframe sandbox="" tabindex="-1" loading="lazy">').attr("title", subject);
	return frame.attr("srcdoc", html);
}

// The gap between two dots grows with the time between them, but more slowly, so a month does not hide the first week.
function draw_timeline(all_steps) {
	const steps = all_steps.filter((step) => step.hours !== null);
	const gaps = steps.slice(1).map((step, i) => Math.sqrt(Math.max(step.hours - steps[i].hours, 1)));
	const total = gaps.reduce((sum, gap) => sum + gap, 0) || 1;
	const least = Math.max(LEAST_GAP, ...steps.map((step) => step.when.length * LETTER));
	const width = Math.max(240, 24 + gaps.length * least);
	const free = width - 24 - gaps.length * least;
	let passed = 12;
	const places = steps.map((_step, i) => (passed += i ? least + (gaps[i - 1] / total) * free : 0));
	const dots = steps.map((step, i) => {
		const place = places[i];
		const anchor = i === 0 ? "start" : i === steps.length - 1 ? "end" : "middle";
		const x = i === 0 ? 4 : i === steps.length - 1 ? width - 4 : place;
		const label = `<text x="${x}" y="34" text-anchor="${anchor}">${frappe.utils.escape_html(step.when)}</text>`;
		return `<circle cx="${place}" cy="12" r="6"></circle>${label}`;
	});
	const right = width - 12;
	const line = steps.length > 1 ? `<line x1="12" y1="12" x2="${right}" y2="12"></line>` : "";
	return `<svg class="drip-timeline" viewBox="0 0 ${width} 40" preserveAspectRatio="xMinYMid" role="img" aria-label="${describe_steps(all_steps)}">${line}${dots.join("")}</svg>`;
}

function describe_steps(steps) {
	return steps.length === 1 ? __("One email") : __("{0} emails", [steps.length]);
}

function open_template(gallery, template) {
	const escape = frappe.utils.escape_html;
	const dialog = new frappe.ui.Dialog({
		title: escape(template.title),
		size: "extra-large",
		primary_action_label: __("Use This Template"),
		primary_action: () => ask_for_name(template.title, "create_from_template", { template: template.key }, [dialog, gallery]),
	});
	const starts = template.triggers.length ? template.triggers.map(escape).join("<br>") : __("Manual enrollment");
	const detail = $(`<div class="drip-detail">
		<div class="drip-steps"><p>${escape(template.description)}</p><p class="text-muted small">${starts}</p></div>
	</div>`).appendTo(dialog.body);
	const frame = make_sheet(template).appendTo(detail);
	template.steps.forEach((step) => {
		const button = $(`<button type="button"><small>${escape(step.when)}</small>${escape(plain(step.subject))}</button>`);
		button.toggleClass("chosen", step.number === template.shown).appendTo(detail.find(".drip-steps"));
		button.on("click", () => show_step(template, step.number, frame, button));
	});
	dialog.show();
}

// Drop Jinja blocks and fields: "Welcome{% if … %}, {{ … }}{% endif %}" becomes "Welcome".
const plain = (text) => text.replace(/{%\s*if.*?%}.*?{%\s*endif\s*%}/g, "").replace("{{ campaign_name }}", __("the event")).replace(/{{.*?}}/g, "…");

async function show_step(template, number, frame, button) {
	const { message } = await frappe.call({
		method: "drip_campaigns.api.campaign_templates.preview_template",
		args: { template: template.key, number },
		type: "GET",
	});
	button.addClass("chosen").siblings().removeClass("chosen");
	frame.attr({ srcdoc: message.html, title: message.subject });
}

function ask_for_name(title, method, args, dialogs) {
	frappe.prompt(
		{
			fieldname: "campaign_name",
			fieldtype: "Data",
			label: __("Campaign Name"),
			reqd: 1,
			default: title,
			description: __("The new campaign is a draft. It sends nothing until you activate it."),
		},
		async ({ campaign_name }) => {
			const { message } = await frappe.call({
				method: `${TEMPLATE_API}.${method}`,
				args: { ...args, campaign_name },
				freeze: true,
			});
			dialogs.forEach((dialog) => dialog.hide());
			await frappe.set_route("Form", "Drip Campaign", message.campaign);
			show_left_out(message.left_out);
		},
		__("New Campaign"),
		__("Create Draft")
	);
}

function show_left_out(left_out) {
	if (!left_out.length) return;
	const lines = left_out.map((line) => `<li>${frappe.utils.escape_html(line)}</li>`).join("");
	frappe.msgprint({
		title: __("Not Included"),
		message: `${__("This site lacks what these parts need. Affected steps are drafts: complete and release them. Add your own triggers under Enroll Automatically.")}<ul>${lines}</ul>`,
	});
}

function import_campaign() {
	const input = $('<input type="file" accept="application/json,.json">');
	input.on("change", async () => {
		const [file] = input[0].files;
		if (!file) return;
		if (file.size > 2_000_000) {
			frappe.msgprint(__("The file is too large. Use a file of at most 2 MB."));
			return;
		}
		const text = await file.text();
		let title = file.name.replace(/\.json$/i, "");
		try {
			title = JSON.parse(text).title || title;
		} catch {
			// The server reports what is wrong with the file.
		}
		ask_for_name(title, "import_campaign", { text }, []);
	});
	input.trigger("click");
}

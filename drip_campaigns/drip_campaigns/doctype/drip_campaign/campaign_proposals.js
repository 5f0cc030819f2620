// Changes of a live campaign that wait for a release: the banner, the review side by side, and the decision.

const escape_text = (text) => frappe.utils.escape_html(text || "");

async function call_proposals(method, args, type = "POST") {
	const call = { method: `drip_campaigns.api.proposals.${method}`, args, type, freeze: true };
	const { message } = await frappe.call(call);
	return message;
}

// One line for each waiting change, with what the user may do about it.
function show_proposals(frm) {
	const proposals = (frm.doc.__onload && frm.doc.__onload.proposals) || [];
	if (!proposals.length || frm.doc.__proposal) return show_continued(frm);
	for (const proposal of proposals) {
		frm.set_intro(describe_proposal(proposal), "orange");
	}
	const by_name = Object.fromEntries(proposals.map((proposal) => [proposal.name, proposal]));
	const acts = { review: review_change, edit: continue_change, withdraw: withdraw_change };
	$(frm.wrapper)
		.find("[data-proposal-act]")
		.on("click", function () {
			const { proposalAct, proposal } = this.dataset;
			acts[proposalAct](frm, by_name[proposal]);
		});
}

function show_continued(frm) {
	if (!frm.doc.__proposal) return;
	frm.set_intro(__("This is your proposed change. Save to propose it again; it isn't live."), "orange");
}

function describe_proposal({ name, owner, summary, creation }) {
	const is_own = owner === frappe.session.user;
	const who = frappe.user.full_name(owner);
	const when = frappe.datetime.prettyDate(creation);
	const text = is_own
		? __("Your change waits for release: {0}", [summary])
		: __("{0} proposed a change {1}: {2}", [who, when, summary]);
	const buttons = is_own
		? [["review", __("View Changes")], ["edit", __("Continue Editing")], ["withdraw", __("Withdraw")]]
		: [["review", __("Review Changes")]];
	const drawn = buttons.map(
		([act, label]) =>
			`<button type="button" class="btn btn-default btn-xs" data-proposal-act="${act}" data-proposal="${escape_text(name)}">${escape_text(label)}</button>`
	);
	return `<div class="drip-proposal"><span>${escape_text(text)}</span><span class="drip-proposal-acts">${drawn.join("")}</span></div>`;
}

async function review_change(frm, { name, owner }) {
	const change = await call_proposals("review_change", { proposal: name }, "GET");
	const may_decide = may_activate(frm) && may_write(frm);
	const dialog = new frappe.ui.Dialog({
		title: __("Changes by {0}", [frappe.user.full_name(owner)]),
		size: "extra-large",
		fields: [{ fieldtype: "HTML", fieldname: "changes" }],
	});
	// Not as the field's options, which Frappe renders as a template: a text with {{ }} would run as script.
	dialog.get_field("changes").$wrapper.html(draw_change(change, may_decide));
	dialog.$wrapper.addClass("drip-review");
	if (may_decide && !change.has_conflicts) {
		dialog.set_primary_action(__("Release"), async () => {
			await call_proposals("release_change", { proposal: name, seen: change.modified });
			dialog.hide();
			frappe.show_alert({ message: __("The change is live."), indicator: "green" });
			frm.reload_doc();
		});
	}
	if (may_decide) {
		dialog.set_secondary_action_label(__("Decline"));
		dialog.set_secondary_action(() => decline_change(frm, dialog, name));
	}
	dialog.show();
}

function decline_change(frm, dialog, proposal) {
	const field = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason (the author gets it)"), reqd: 1 };
	frappe.prompt(
		field,
		async ({ reason }) => {
			await call_proposals("decline_change", { proposal, reason });
			dialog.hide();
			frm.reload_doc();
		},
		__("Decline"),
		__("Decline")
	);
}

function withdraw_change(frm, { name }) {
	frappe.confirm(__("Withdraw your change? The campaign stays as it is."), async () => {
		await call_proposals("withdraw_change", { proposal: name });
		frm.reload_doc();
	});
}

// Load the change into the form; the next save replaces it.
async function continue_change(frm, { name }) {
	const { document, conflicts } = await call_proposals("open_change", { proposal: name }, "GET");
	frappe.model.sync([{ ...document, __proposal: name, __unsaved: 1 }]);
	await frm.refresh();
	frm.dirty();
	if (!conflicts.length) return;
	const text = __("The campaign has changed since. These fields of your change aren't in the form: {0}. See View Changes after a reload.", [
		escape_text(conflicts.join(", ")),
	]);
	frappe.msgprint({ title: __("Conflicting Changes"), message: text, indicator: "orange" });
}

function draw_change({ rows, sentences, on_board, has_conflicts }, may_decide) {
	const remedy = may_decide
		? __("Ask the author to edit the change again, or decline it.")
		: __("Click Continue Editing, correct it, and save again.");
	const warning = __("The campaign has changed since. Both texts are kept.") + " " + remedy;
	const head = sentences.length
		? `<p>${escape_text(__("{0} people are in this campaign. This change means:", [on_board]))}</p>
			<ul class="drip-edit">${sentences.map((sentence) => `<li>${escape_text(sentence)}</li>`).join("")}</ul>`
		: "";
	return `${has_conflicts ? `<p class="drip-conflict-note">${escape_text(warning)}</p>` : ""}${head}
		<table class="table table-bordered drip-changes">
			<thead><tr><th>${__("Field")}</th><th>${__("Before")}</th><th>${__("After")}</th></tr></thead>
			<tbody>${rows.map(draw_change_row).join("")}</tbody>
		</table>`;
}

function draw_change_row({ place, field, old, new: proposed, conflicts, now }) {
	const conflict = conflicts
		? `<div class="drip-conflict"><b>${__("Live now")}</b><div>${escape_text(now || __("Removed"))}</div></div>`
		: "";
	return `<tr>
		<td><div class="drip-change-field">${escape_text(field)}</div><div class="text-muted">${escape_text(place)}</div></td>
		<td>${draw_pieces(old, "del")}${conflict}</td>
		<td>${draw_pieces(proposed, "ins")}</td>
	</tr>`;
}

function draw_pieces(pieces, tag) {
	const drawn = pieces.map(([text, differs]) =>
		differs && text.trim() ? `<${tag}>${escape_text(text)}</${tag}>` : escape_text(text)
	);
	return `<div class="drip-change-text">${drawn.join("") || `<span class="text-muted">${__("Empty")}</span>`}</div>`;
}

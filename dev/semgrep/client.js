// Examples for client.yml: each rule finds the line below `ruleid`, and accepts the line below `ok`.

function show(frm, row, message) {
	const escape = frappe.utils.escape_html;
	// ruleid: unescaped-in-html
	const name = `<b>${row.name}</b>`;
	// ruleid: unescaped-in-html
	const title = `<b title="x">${row.title || ""}</b>`;
	// ok: unescaped-in-html
	const safe = `<b>${escape(row.name)}</b> ${rows.length}`;
	// ok: unescaped-in-html
	const text = `${row.name}: ${row.title}`;

	// ruleid: unescaped-in-message
	const question = __("Remove {0}?", [frm.doc.name]);
	// ok: unescaped-in-message
	const asked = __("Remove {0} of {1}?", [escape(frm.doc.name), cint(message.count)]);

	// ruleid: raw-html
	$(frm.wrapper).html(message.text);
	// ruleid: raw-html
	frm.set_intro(frm.doc.error, "red");
	// ruleid: raw-html
	const dialog = new frappe.ui.Dialog({ title: row.title, fields: [] });
	// ok: raw-html
	$(frm.wrapper).text(message.text);
	// ok: raw-html
	frm.set_intro(`<div>${escape(frm.doc.error)}</div>`, "red");

	// ruleid: raw-option
	const option = { value: row.name, label: `${row.idx}: ${row.subject}` };
	// ok: raw-option
	const choice = { value: row.name, label: escape(row.subject) };

	// ruleid: template-in-html-field
	const note = { fieldname: "note", fieldtype: "HTML", options: `<p>${escape(text)}</p>` };
	// ruleid: template-in-html-field
	const answer = frappe.render_template(text, {});
	// ok: template-in-html-field
	const area = { fieldname: "note", fieldtype: "HTML" };

	// ruleid: code-from-text
	eval(message.text);
	// ok: code-from-text
	JSON.parse(message.text);
	return [name, title, safe, text, question, asked, dialog, option, choice, note, answer, area];
}

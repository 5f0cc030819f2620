// Buttons and menus for the forms and lists of all recipient types, including those of Drip Settings: add records to a
// campaign or a target list. The dialogs are loaded when a user opens one.

frappe.provide("drip_campaigns");

(() => {
	const FILES = ["enroll_dialog.css", "enroll_preview.js", "enroll_dialog.js", "enroll_file.js", "why_not.js", "list_dialog.js"].map(
		(file) => `/assets/drip_campaigns/${file.endsWith(".css") ? "css" : "js"}/${file}`
	);
	const open = (dialog, options) => frappe.require(FILES, () => drip_campaigns[dialog](options));

	drip_campaigns.enroll = (options) => open("open_enroll_dialog", options);
	drip_campaigns.enroll_file = (options) => open("open_file_dialog", options);
	drip_campaigns.add_to_list = (options) => open("open_list_dialog", options);
	drip_campaigns.ask_why_not = (options) => open("open_why_not", options);
	drip_campaigns.call = async (method, args, options) => {
		const call = { method: `drip_campaigns.api.enroll.${method}`, args, ...options };
		return (await frappe.call(call)).message;
	};

	const may_enroll = (doctype) =>
		(frappe.boot.drip_recipient_types || []).includes(doctype) && frappe.model.can_create("Drip Enrollment");

	const may_add = (doctype) =>
		(frappe.boot.drip_recipient_types || []).includes(doctype) &&
		frappe.model.can_create("Drip Target List Member");

	$(document).on("form-refresh", (event, frm) => {
		if (!may_enroll(frm.doctype) || frm.is_new()) return;
		const record = { recipient_type: frm.doctype, recipient: frm.doc.name };
		const filters = [[frm.doctype, "name", "=", frm.doc.name]];
		const enroll = () =>
			drip_campaigns.enroll({ ...record, filters, what: frm.get_title(), on_done: () => frm.reload_doc() });
		frm.make_methods = { ...frm.make_methods, "Drip Enrollment": enroll };
		frm.add_custom_button(__("Add to Campaign"), enroll);
		frm.page.add_menu_item(__("Why Not in a Campaign?"), () => drip_campaigns.ask_why_not(record));
	});

	$(document).on("form-refresh", (event, frm) => {
		const found = frm.doc.__onload?.drip_suppression;
		if (!found) return;
		const { escape_html } = frappe.utils;
		const sentence = __("No marketing email: {0} {1}.", [`<b>${escape_html(found.address)}</b>`, escape_html(__(found.because))]);
		const since = __("Since {0}", [frappe.datetime.str_to_user(found.at, false, true)]);
		const href = `/app/drip-suppression/${encodeURIComponent(found.name)}`;
		const details = [escape_html(found.note || ""), `<a href="${href}"><u>${since}</u></a>`].filter(Boolean);
		frm.set_intro(`${sentence}<br><small>${details.join(" · ")}</small>`, "red");
	});

	// Frappe 15 and 16 build the two menus of each list with these two methods.
	const { ListView } = frappe.views;
	const { get_actions_menu_items, get_menu_items } = ListView.prototype;

	ListView.prototype.get_actions_menu_items = function () {
		const items = get_actions_menu_items.call(this);
		if (may_enroll(this.doctype)) {
			items.push({ label: __("Add to Campaign"), action: () => enroll_ticked(this), standard: true });
		}
		if (may_add(this.doctype)) {
			items.push({ label: __("Add to Target List"), action: () => add_ticked(this), standard: true });
		}
		return items;
	};

	ListView.prototype.get_menu_items = function () {
		const items = get_menu_items.call(this);
		if (!may_enroll(this.doctype)) return items;
		return [...items, { label: __("Add All to Campaign"), action: () => enroll_all(this), standard: true }];
	};

	function enroll_ticked(list) {
		const names = list.get_checked_items(true);
		const what = __("{0} selected records", [names.length]);
		drip_campaigns.enroll({
			recipient_type: list.doctype,
			filters: [[list.doctype, "name", "in", names]],
			what,
			on_done: () => list.clear_checked_items(),
		});
	}

	function add_ticked(list) {
		const names = list.get_checked_items(true);
		drip_campaigns.add_to_list({
			recipient_type: list.doctype,
			names,
			on_done: () => list.clear_checked_items(),
		});
	}

	function enroll_all(list) {
		const filters = list.get_filters_for_args();
		const what = filters.length ? __("All records that match the list's filters") : __("All records");
		drip_campaigns.enroll({ recipient_type: list.doctype, filters, what });
	}
})();

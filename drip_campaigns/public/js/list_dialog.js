// Add selected records to a target list: choose it, see which campaigns enroll them, and get a summary.

(() => {
	// options: recipient_type, names, on_done
	drip_campaigns.open_list_dialog = (options) => {
		const dialog = new frappe.ui.Dialog({
			title: __("Add to Target List"),
			fields: [
				{
					fieldname: "target_list",
					fieldtype: "Link",
					options: "Drip Target List",
					label: __("Target List"),
					reqd: 1,
					onchange: () => show_consequence(dialog, options),
				},
				{ fieldname: "consequence", fieldtype: "HTML" },
			],
			primary_action_label: __("Add"),
			primary_action: ({ target_list }) => add(dialog, target_list, options),
		});
		dialog.show();
	};

	// Desk also fires a change when a field loses the focus. Keep the text then, so the buttons below it do not move under
	// the pointer.
	async function show_consequence(dialog, options) {
		const target_list = dialog.get_value("target_list");
		if (target_list === dialog.drip_shown) return;
		dialog.drip_shown = target_list;
		const area = dialog.fields_dict.consequence.$wrapper.empty();
		if (!target_list) return;
		const { message } = await frappe.call({
			method: "drip_campaigns.api.lists.get_list_state",
			args: { target_list },
			type: "GET",
		});
		if (target_list !== dialog.drip_shown) return;
		const names = message.campaigns.map(frappe.utils.escape_html).join(", ");
		const text = names
			? __("New members are enrolled in {0} while it is active.", [`<b>${names}</b>`])
			: __("The list has {0} members. No campaign includes it.", [format_number(message.members, null, 0)]);
		area.html(`<p class="text-muted small">${text}</p>`);
		await show_count(dialog, target_list, options);
	}

	// The button names how many records it adds: not those that are on the list, opted out, or have no address.
	async function show_count(dialog, target_list, { recipient_type, names }) {
		const { message } = await frappe.call({
			method: "drip_campaigns.api.lists.preview_add",
			args: { target_list, recipient_type, names: JSON.stringify(names) },
		});
		if (target_list !== dialog.drip_shown) return;
		const count = message.joined + message.came_back;
		dialog.get_primary_btn().text(__("Add {0} Records", [count])).prop("disabled", !count);
	}

	async function add(dialog, target_list, { recipient_type, names, on_done }) {
		const { message } = await frappe.call({
			method: "drip_campaigns.api.lists.add_to_list",
			args: { target_list, recipient_type, names: JSON.stringify(names) },
			freeze: true,
		});
		dialog.hide();
		const lines = [
			[message.joined + message.came_back, __("added to {0}", [frappe.utils.escape_html(target_list)])],
			[message.already, __("already on the list, by record or by address")],
			[message.opted_out, __("opted out of the list")],
			[message.unreachable, __("without a valid email address or read permission")],
		].filter(([count]) => count);
		const is_all = lines.length === 1 && message.joined;
		const html = lines.map(([count, text]) => `${format_number(count, null, 0)} ${text}`).join("<br>");
		frappe.show_alert({ message: html, indicator: is_all ? "green" : "orange" }, is_all ? 5 : 12);
		on_done && on_done();
	}
})();

// Retry failed actions from an enrollment, an action, or the list of actions.

async function retry_actions(names, on_done) {
	const { message: preview } = await frappe.call({
		method: "drip_campaigns.api.enrollments.preview_retry",
		args: { actions: JSON.stringify(names) },
	});
	if (!preview.done) {
		frappe.show_alert({ message: __("None of these actions has failed."), indicator: "orange" });
		return;
	}
	const question =
		preview.done === 1
			? __("The action is tried again. Fix the cause shown in its error first; a Webhook in doubt may be called twice.")
			: __("{0} actions are tried again. Fix the cause shown in each error first; a Webhook in doubt may be called twice.", [cint(preview.done)]);
	const dialog = frappe.confirm(question, async () => {
		const { message } = await frappe.call({
			method: "drip_campaigns.api.enrollments.retry_actions",
			args: { actions: JSON.stringify(names) },
			freeze: true,
		});
		const head = __("{0} will be tried again shortly.", [cint(message.done)]);
		const rest = message.left ? ` ${__("{0} had not failed and were not changed.", [cint(message.left)])}` : "";
		frappe.show_alert({ message: head + rest, indicator: message.done ? "green" : "orange" });
		on_done();
	});
	dialog.set_title(__("Try Again"));
	dialog.get_primary_btn().text(__("Try Again"));
	dialog.get_secondary_btn().text(__("Cancel"));
}

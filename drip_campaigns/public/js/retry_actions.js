// Doing failed actions again, from an enrollment, an action and a list of them.

function retry_actions(names, on_done) {
	const question =
		names.length === 1
			? __("The action is done again. Mend what its error says first; a Webhook in doubt may be called twice.")
			: __("{0} actions are done again. Mend what their errors say first; a Webhook in doubt may be called twice.", [names.length]);
	const dialog = frappe.confirm(question, async () => {
		const { message } = await frappe.call({
			method: "drip_campaigns.api.enrollments.retry_actions",
			args: { actions: JSON.stringify(names) },
			freeze: true,
		});
		const head = __("{0} will be done in a moment.", [message.done]);
		const rest = message.left ? ` ${__("{0} have not failed and were left as they were.", [message.left])}` : "";
		frappe.show_alert({ message: head + rest, indicator: message.done ? "green" : "orange" });
		on_done();
	});
	dialog.set_title(__("Try Again"));
	dialog.get_primary_btn().text(__("Try Again"));
	dialog.get_secondary_btn().text(__("Cancel"));
}

// Settle emails in doubt, from an email or the list of emails: they arrived, or they are sent again.

function settle_in_doubt(names, arrived, on_done) {
	const label = arrived ? __("It Arrived") : __("Send Again");
	const question = arrived
		? __("The email is recorded as sent. Confirm only if you know that it arrived, for example from the mail server's log.")
		: __("If the email did arrive after all, the recipient gets it twice. Look into the mail server's log first.");
	const dialog = frappe.confirm(question, async () => {
		const { message } = await frappe.call({
			method: "drip_campaigns.api.enrollments.settle_in_doubt",
			args: { emails: JSON.stringify(names), arrived },
			freeze: true,
		});
		const head = arrived ? __("{0} recorded as sent.", [cint(message.done)]) : __("{0} will be sent again.", [cint(message.done)]);
		const rest = message.left ? ` ${__("{0} left: not in doubt, or not to be sent.", [cint(message.left)])}` : "";
		frappe.show_alert({ message: head + rest, indicator: message.done ? "green" : "orange" });
		on_done();
	});
	dialog.set_title(label);
	dialog.get_primary_btn().text(label);
	dialog.get_secondary_btn().text(__("Cancel"));
}

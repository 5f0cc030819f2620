// The functions of drip_campaigns.api.desk, which read by GET and act by POST.

async function read_from_desk(method, args) {
	const { message } = await frappe.call({ method: `drip_campaigns.api.desk.${method}`, args, type: "GET" });
	return message;
}

async function call_desk(method, args, options) {
	const { message } = await frappe.call({ method: `drip_campaigns.api.desk.${method}`, args, ...options });
	return message;
}

// Call the functions of drip_campaigns.api.desk: GET to read, POST to change.

async function read_from_desk(method, args) {
	const { message } = await frappe.call({ method: `drip_campaigns.api.desk.${method}`, args, type: "GET" });
	return message;
}

async function call_desk(method, args, options) {
	const { message } = await frappe.call({ method: `drip_campaigns.api.desk.${method}`, args, ...options });
	return message;
}

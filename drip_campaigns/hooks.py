"""The table of contents: what Frappe calls in this app, and when."""

app_name = "drip_campaigns"
app_title = "Drip Campaigns"
app_publisher = "Drip Campaigns contributors"
app_description = "Series of e-mails, each sent when it is due, exactly once"
app_email = "maintainers@example.com"
app_license = "mit"

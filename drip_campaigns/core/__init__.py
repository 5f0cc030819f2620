"""The pure core: values in, values out. Nothing here knows Frappe, a database, a clock or chance."""

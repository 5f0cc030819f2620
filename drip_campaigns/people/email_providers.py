"""Large email providers, whose domain says nothing about a person's company."""

LARGE_PROVIDERS = (
	*(
		"gmail.com",
		"googlemail.com",
		"yahoo.*",
		"ymail.com",
		"rocketmail.com",
		"aol.*",
		"outlook.*",
		"hotmail.*",
	),
	*("live.*", "msn.com", "icloud.com", "me.com", "mac.com", "gmx.*", "web.de", "t-online.de", "freenet.de"),
	*(
		"orange.fr",
		"wanadoo.fr",
		"free.fr",
		"laposte.net",
		"sfr.fr",
		"libero.it",
		"proton.me",
		"protonmail.com",
	),
	*("mail.ru", "yandex.*", "qq.com", "163.com", "126.com", "rediffmail.com", "comcast.net", "verizon.net"),
)

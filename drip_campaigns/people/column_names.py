"""The headings of columns in files of people, by what the column holds: one table for all languages and programs.

Sources: the export files of Frappe, Outlook, Google Contacts, Salesforce, HubSpot, Mailchimp, Brevo, Apple Numbers, and
the words of the languages. The surest heading comes first.
"""

import re
import unicodedata


def spell(heading: str) -> str:
	"""Return a heading in lower case, without accents, its words separated by spaces, and email as one word."""
	words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)  # FirstName
	letters = unicodedata.normalize("NFKD", words.casefold())
	plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
	plain = plain.replace("ة", "ه")  # two spellings of one Arabic ending
	return re.sub(r"\be mail(?=\b|adres)", "email", " ".join(re.split(r"[\W_]+", plain)).strip())


# The heading is one of these, or contains it as words of its own. They are compared as `spell` returns them.
_COLUMN_NAMES: dict[str, tuple[str, ...]] = {
	"email_address": (
		# English, HubSpot, Salesforce, Mailchimp, Outlook, Google Contacts
		*("email", "email address", "primary email", "email 1 value", "work email", "business email"),
		*("email 1", "person email", "contact email", "subscriber email", "subscriber", "email id", "mail"),
		# German, French, Spanish, Arabic, and others
		*("email adresse", "mailadresse", "emailadresse", "mail adresse"),
		*("adresse email", "adresse de messagerie", "adresse électronique", "courriel", "adresse mail"),
		*("correo electrónico", "dirección de correo electrónico", "correo", "dirección de correo"),
		*("البريد الإلكتروني", "بريد إلكتروني", "indirizzo email", "emailadres", "endereco de email"),
	),
	# "Record ID" is also what HubSpot calls its own numbers: it counts only in a file without addresses
	"record": ("record", "id", "record id"),
	"company": (
		*("company", "company name", "account name", "associated company", "organization"),
		*("organization name", "organization 1 name", "organisation", "organisation name", "account"),
		*("firma", "firmenname", "unternehmen", "unternehmensname", "organisationsname"),
		*("société", "nom de la société", "entreprise", "nom de l'entreprise", "raison sociale"),
		*("empresa", "nombre de la empresa", "compañía", "organización", "razón social"),
		*("الشركة", "اسم الشركة", "azienda", "bedrijf", "employer"),
	),
	"last_name": (
		*("last name", "lastname", "lname", "surname", "family name", "last", "name last"),
		*("nachname", "familienname", "zuname"),
		*("nom de famille", "apellidos", "apellido", "primer apellido"),
		*("اسم العائلة", "اللقب", "cognome", "achternaam", "sobrenome"),
	),
	"first_name": (
		*("first name", "firstname", "fname", "given name", "forename", "first", "given", "name first"),
		*("vorname", "rufname", "prénom", "primer nombre", "nombre de pila"),
		*("الاسم الأول", "nome", "voornaam"),
	),
}
COLUMN_NAMES = {fact: tuple(map(spell, names)) for fact, names in _COLUMN_NAMES.items()}
# A heading that means the whole name, or the part of it that no other column holds.
_NAME = (
	"name",
	"full name",
	"display name",
	"contact name",
	"nom",
	"nombre",
	"nom complet",
	"nombre completo",
)
_NAME += ("vollständiger name", "ansprechpartner", "contact", "الاسم", "الاسم الكامل")
NAME = tuple(map(spell, _NAME))
# Names that count only as the whole heading: with other words they say something else, such as "First Seen"
WHOLE_ONLY = frozenset(("first", "last", "given", "account", "subscriber", "mail", "correo", "nome"))
# Words that say that a column is about such a thing, and does not hold it.
ABOUT: dict[str, frozenset[str]] = {
	"email_address": frozenset(
		[
			"opt",
			"out",
			"optout",
			"in",
			"permission",
			"status",
			"type",
			"label",
			"bounced",
			"bounce",
			"bounces",
			"owner",
			"sent",
			"send",
			"date",
			"time",
			"domain",
			"count",
			"unsubscribed",
			"subscribed",
			"consent",
			"rating",
			"client",
			"format",
			"opened",
			"clicked",
			"delivered",
			"last",
			"first",
			"number",
			"quarantined",
			"confirmed",
			"verified",
			"campaign",
			"template",
			"typ",
			"datum",
			"envoye",
			"estado",
			"fecha",
		]
	),
	"record": frozenset(),
	"company": frozenset(
		[
			"id",
			"size",
			"type",
			"domain",
			"city",
			"phone",
			"website",
			"street",
			"country",
			"industry",
			"owner",
			"email",
			"number",
			"revenue",
			"date",
			"department",
			"title",
			"groesse",
			"typ",
			"telefon",
		]
	),
	"last_name": frozenset(
		[
			"phonetic",
			"yomi",
			"owner",
			"pronunciation",
			"modified",
			"activity",
			"seen",
			"changed",
			"contacted",
			"date",
		]
	),
	"first_name": frozenset(
		[
			"phonetic",
			"yomi",
			"owner",
			"pronunciation",
			"seen",
			"contacted",
			"activity",
			"company",
			"account",
			"date",
			"deal",
			"conversion",
		]
	),
}


def contains(heading: str, name: str) -> bool:
	"""Return whether a spelled heading has the words of a name one after the other."""
	return f" {name} " in f" {heading} "

"""Replies in five languages, written for the tests: (language, kind, back on, headers, subject, text).

All arrive on Monday, 2 March 2026. Our own rules can find what our own corpus contains: the figures show that nothing
got worse, not how well strangers' replies are read.
"""

from datetime import date

AWAY, HUMAN, AUTOMATIC, UNSUBSCRIBE = "absence", "human", "auto_reply", "opt_out"
REPLIED = {"Auto-Submitted": "auto-replied"}
GENERATED = {"Auto-Submitted": "auto-generated"}
QUOTE = "\n\nOn Mon, 2 Mar 2026 at 09:00, Sales <sales@example.com> wrote:\n> Unsubscribe here\n> I am out of office until 5 May"


def on(month: int, day: int) -> date:
	"""Return a day of 2026."""
	return date(2026, month, day)


LETTERS = [
	# English
	("en", AWAY, on(3, 16), REPLIED, "Automatic reply: Welcome", "I am out of the office and will be back on 16 March 2026."),
	("en", AWAY, on(3, 14), {}, "Out of Office: Day 0", "I'm away until March 13, 2026 with limited access to email."),
	("en", AWAY, on(3, 9), {"X-Autoreply": "yes"}, "Re: Welcome", "Thanks for your mail. I am on annual leave, returning 9 March."),
	("en", AWAY, None, {}, "Automatic reply: Day 0", "I am currently away from my desk. For urgent matters call the office."),
	("en", AWAY, on(4, 2), {"Precedence": "auto_reply"}, "Vacation reply", "I will return on 2026-04-02."),
	("en", AWAY, None, REPLIED, "OOO", "On parental leave. Back on 03/04."),
	("en", AWAY, on(3, 28), REPLIED, "I am on leave", "I'm on leave through 03/27/2026. Please contact my colleague. To unsubscribe from our news, click below."),
	("en", AWAY, on(3, 5), {"X-Auto-Reply-From": "a@example.com"}, "Away from the office", "Away 3 March to 4 March, no access to my e-mail."),
	("en", HUMAN, None, {}, "Re: Welcome", "Thanks, sounds good. Can you call me on 16 March?"),
	("en", HUMAN, None, {}, "Re: Day 0", "I was out of the office last week, sorry. Yes, please send the offer." + QUOTE),
	("en", HUMAN, None, {}, "Re: Day 0", "How do I unsubscribe my colleague from the other list? I want to keep mine." + QUOTE),
	("en", HUMAN, None, {}, "Question", "Please stop by our booth. We will be back in Berlin until May."),
	("en", HUMAN, None, {"Auto-Submitted": "no"}, "Re: Day 0", "Sure."),
	("en", HUMAN, None, {}, "Re: Out of Office: Day 0", "You wrote that you are away; call me when you are back."),
	("en", AUTOMATIC, None, GENERATED, "Ticket #4711 created", "We have received your message and will answer within two days."),
	("en", AUTOMATIC, None, REPLIED, "Thank you for contacting us", "Your message has been received."),
	("en", UNSUBSCRIBE, None, {}, "Re: Welcome", "Unsubscribe"),
	("en", UNSUBSCRIBE, None, {}, "Re: Welcome", "Please remove me from your list. Thanks!" + QUOTE),
	("en", UNSUBSCRIBE, None, {}, "Re: Day 0", "STOP\n\n-- \nAda Lovelace\nAnalytical Engines Ltd"),
	# German
	("de", AWAY, on(3, 16), REPLIED, "Automatische Antwort: Willkommen", "Ich bin ab dem 16.03.2026 wieder im Büro."),
	("de", AWAY, on(3, 21), {}, "Abwesenheitsnotiz", "Ich bin bis zum 20. März nicht im Haus."),
	("de", AWAY, on(3, 14), REPLIED, "Re: Tag 0", "Vielen Dank für Ihre Nachricht. Ich bin im Urlaub bis einschließlich 13.03. und danach wieder erreichbar."),
	("de", AWAY, None, {}, "Abwesend: Willkommen", "Ihre E-Mail wird nicht weitergeleitet."),
	("de", AWAY, on(4, 7), {"X-Autoreply": "yes"}, "Urlaub", "Bin im Urlaub und am 7. April wieder da. Newsletter bitte abbestellen."),
	("de", AWAY, None, REPLIED, "Nicht im Büro", "Derzeit in Elternzeit."),
	("de", AWAY, on(3, 10), REPLIED, "Automatische Abwesenheitsmeldung", "Ich bin nicht erreichbar. Zurück am 10.3.2026."),
	("de", HUMAN, None, {}, "AW: Willkommen", "Danke, das passt gut. Ich bin ab dem 16.03. wieder im Büro, rufen Sie dann an."),
	("de", HUMAN, None, {}, "AW: Tag 0", "Bitte melden Sie Herrn Maier vom Newsletter ab, ich möchte ihn behalten."),
	("de", HUMAN, None, {}, "Frage", "Guten Tag, was kostet das im Jahr?"),
	("de", HUMAN, None, {}, "AW: Tag 0", "Gern!\n\nAm 02.03.2026 um 09:00 schrieb Vertrieb <sales@example.com>:\n> Abmelden"),
	("de", AUTOMATIC, None, GENERATED, "Eingangsbestätigung", "Wir haben Ihre Anfrage erhalten."),
	("de", UNSUBSCRIBE, None, {}, "AW: Willkommen", "Bitte abmelden!"),
	("de", UNSUBSCRIBE, None, {}, "AW: Tag 0", "Abmelden.\nVielen Dank\n\nVon meinem iPhone gesendet"),
	("de", UNSUBSCRIBE, None, {}, "Tag 0", "Bitte streichen Sie mich von der Liste."),
	# Spanish
	("es", AWAY, on(3, 15), REPLIED, "Respuesta automática: Bienvenido", "Estoy fuera de la oficina hasta el 14 de marzo de 2026."),
	("es", AWAY, on(3, 23), {}, "Fuera de la oficina", "Estaré de vuelta el 23 de marzo."),
	("es", AWAY, on(4, 6), REPLIED, "Re: Día 0", "De vacaciones. Regreso el 06.04.2026. Para darse de baja del boletín, use el enlace."),
	("es", AWAY, None, {"X-Autorespond": "yes"}, "Ausente", "No tengo acceso al correo."),
	("es", AWAY, None, REPLIED, "Baja médica", "Estoy de baja médica y sin acceso al correo."),
	("es", AWAY, on(3, 19), {}, "Autorespuesta", "Ausente hasta el 18/03/2026."),
	("es", HUMAN, None, {}, "RE: Bienvenido", "Gracias, me interesa. Llámeme el 14 de marzo."),
	("es", HUMAN, None, {}, "RE: Día 0", "Quiero dar de baja un contrato, ¿cómo lo hago?"),
	("es", HUMAN, None, {}, "Pregunta", "Estuve de vacaciones, perdón por la demora. ¿Cuánto cuesta?"),
	("es", HUMAN, None, {}, "RE: Día 0", "Sí.\n\nEl lun, 2 mar 2026 a las 9:00, Ventas (<sales@example.com>) escribió:\n> darse de baja"),
	("es", AUTOMATIC, None, GENERATED, "Hemos recibido su mensaje", "Le contestaremos pronto."),
	("es", UNSUBSCRIBE, None, {}, "RE: Bienvenido", "Baja, por favor"),
	("es", UNSUBSCRIBE, None, {}, "RE: Día 0", "Cancelar suscripción"),
	("es", UNSUBSCRIBE, None, {}, "RE: Día 0", "Darme de baja. Gracias."),
	# French
	("fr", AWAY, on(3, 14), REPLIED, "Réponse automatique : Bienvenue", "Je suis absent jusqu'au 13 mars 2026 inclus."),
	("fr", AWAY, on(3, 16), {}, "Absence du bureau", "Je serai de retour le 16 mars."),
	("fr", AWAY, on(4, 1), REPLIED, "Re: Jour 0", "En congés, de retour le 1er avril. Pour vous désabonner, cliquez ici."),
	("fr", AWAY, None, {"Precedence": "auto_reply"}, "Message d’absence", "Je suis en déplacement, sans accès à mes messages."),
	("fr", AWAY, on(3, 20), REPLIED, "Hors du bureau", "Hors du bureau jusqu’au 19/03."),
	("fr", AWAY, None, REPLIED, "Congés", "Actuellement en congé maternité."),
	("fr", HUMAN, None, {}, "RE: Bienvenue", "Merci, c'est noté. Je suis absent demain, rappelez-moi jeudi."),
	("fr", HUMAN, None, {}, "RE: Jour 0", "Comment désabonner un collègue parti en retraite ?"),
	("fr", HUMAN, None, {}, "Question", "Bonjour, quel est le prix ?"),
	("fr", HUMAN, None, {}, "RE: Jour 0", "D'accord.\n\nLe lun. 2 mars 2026 à 09:00, Ventes <sales@example.com> a écrit :\n> Se désabonner"),
	("fr", AUTOMATIC, None, GENERATED, "Accusé de réception", "Nous avons bien reçu votre message."),
	("fr", UNSUBSCRIBE, None, {}, "RE: Bienvenue", "Désabonnement svp"),
	("fr", UNSUBSCRIBE, None, {}, "RE: Jour 0", "Bonjour, désinscrivez-moi s'il vous plaît. Merci."),
	("fr", UNSUBSCRIBE, None, {}, "RE: Jour 0", "Me désabonner"),
	# Arabic
	("ar", AWAY, on(3, 16), REPLIED, "رد تلقائي: مرحبا", "أنا خارج المكتب وسأعود في 16 مارس 2026."),
	("ar", AWAY, on(3, 15), {}, "خارج المكتب", "أنا في إجازة حتى ١٤ مارس."),
	("ar", AWAY, None, REPLIED, "الرد التلقائي", "شكرا لرسالتك. أنا غير موجود حاليا. لإلغاء الاشتراك اضغط هنا."),
	("ar", AWAY, on(4, 3), REPLIED, "رسالة", "أنا في إجازة، أعود يوم 2026-04-03."),
	("ar", AWAY, None, {"X-Autoreply": "yes"}, "رسالة", "لست في المكتب هذا الأسبوع."),
	("ar", HUMAN, None, {}, "رد: مرحبا", "شكرا لكم، اتصلوا بي يوم 16 مارس."),
	("ar", HUMAN, None, {}, "سؤال", "كيف يمكن إلغاء الاشتراك القديم مع الاحتفاظ بالجديد؟"),
	("ar", HUMAN, None, {}, "رد: مرحبا", "كنت في إجازة الأسبوع الماضي، نعم أرسلوا العرض."),
	("ar", AUTOMATIC, None, GENERATED, "تم استلام رسالتك", "سنرد عليك قريبا."),
	("ar", UNSUBSCRIBE, None, {}, "رد: مرحبا", "إلغاء الاشتراك من فضلك"),
	("ar", UNSUBSCRIBE, None, {}, "رد: مرحبا", "الغاء الاشتراك"),
	("ar", UNSUBSCRIBE, None, {}, "رد: مرحبا", "يرجى إلغاء اشتراكي. شكرا"),
]  # fmt: skip

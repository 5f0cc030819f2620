"""The usual words of replies in English, German, Spanish, French and Arabic: data for `replies.py`."""

from __future__ import annotations

import re

AWAY_SUBJECTS = re.compile(
	r"^\W*(?:"
	r"(?:automatic|auto(?:mated)?)[ -]?(?:reply|response|answer)|out[ -]of[ -](?:the[ -])?office|ooo\b|on (?:vacation|holiday|leave)"
	r"|away from (?:the |my )?(?:office|desk|e-?mail)|vacation (?:reply|response|notice)|i am (?:away|on (?:vacation|holiday|leave))"
	r"|automatische (?:antwort|abwesenheit\w*|r[üu]ckmeldung)|abwesend|abwesenheit\w*|(?:ich bin )?(?:nicht im (?:b[üu]ro|haus)|im urlaub)"
	r"|respuesta autom[áa]tica|auto[- ]?respuesta|fuera de (?:la )?oficina|ausente|ausencia|de vacaciones"
	r"|r[ée]ponse automatique|absence|absent\b|message d['’]absence|en (?:cong[ée]s?|vacances)|hors du bureau"
	r"|رد تلقائي|الرد التلقائي|رد آلي|خارج المكتب|إجازة|في إجازة"
	r")",
	re.IGNORECASE,
)

AWAY_PHRASES = re.compile(
	r"out of (?:the |my )?office|on (?:vacation|holiday|leave|annual leave|parental leave|maternity leave|paternity leave)|away (?:from|until|on)"
	r"|currently away|limited (?:access|email)|will (?:be back|return)|no access to (?:my )?e-?mail|not in the office"
	r"|abwesend|nicht im (?:b[üu]ro|haus)|im urlaub|außer haus|nicht erreichbar|ab dem|wieder (?:da|erreichbar|im b[üu]ro)|in elternzeit"
	r"|fuera de (?:la |mi )?oficina|de vacaciones|ausente|estar[ée] de (?:vuelta|regreso)|de baja (?:hasta|por|m[ée]dica)|sin acceso al correo"
	r"|absent|en cong[ée]s?|en vacances|hors du bureau|de retour|en d[ée]placement|pas (?:d['’])?acc[èe]s à (?:mes|ma|mon)"
	r"|خارج المكتب|في إجازة|بإجازة|لست في المكتب|غير موجود|سأعود|سوف أعود",
	re.IGNORECASE,
)

# A reply of these words alone unsubscribes: lower case, without punctuation and the polite words below
UNSUBSCRIBE_PHRASES = frozenset(
	"""
unsubscribe
unsubscribe me
unsubscribe from this list
unsubscribe me from this list
remove
remove me
remove me from this list
remove me from your list
remove me from your mailing list
take me off this list
take me off your list
opt out
optout
stop
stop emailing me
stop sending me emails
abmelden
abmeldung
austragen
abbestellen
newsletter abbestellen
newsletter abmelden
abmelden vom newsletter
mich abmelden
mich austragen
streichen sie mich von der liste
keine weiteren e mails
keine weiteren mails
baja
dar de baja
darme de baja
darse de baja
deme de baja
dame de baja
cancelar suscripción
cancelar la suscripción
cancelar mi suscripción
cancelar suscripcion
no más correos
désabonner
désabonnement
désabonnez moi
me désabonner
se désabonner
désinscrire
désinscription
désinscrivez moi
me désinscrire
se désinscrire
retirez moi de votre liste
retirez moi de la liste
desabonner
desinscription
إلغاء الاشتراك
الغاء الاشتراك
إلغاء اشتراكي
الغاء اشتراكي
إيقاف
توقف
""".strip().splitlines()
)

POLITE_PHRASES = (
	*("please", "kindly", "thank you", "thanks", "hello", "hi", "pls"),
	*("bitte", "danke", "vielen dank", "hallo", "guten tag", "mit freundlichen grüßen"),
	*("por favor", "gracias", "hola", "muchas gracias"),
	*("s'il vous plaît", "s'il vous plait", "svp", "merci", "bonjour", "cordialement"),
	*("من فضلك", "لو سمحت", "رجاء", "رجاءً", "شكرا", "شكراً", "مرحبا", "يرجى"),
)

# What begins a quotation or a signature, in one line or two, and is unknown to quotequail: the headers that Outlook
# quotes, a separator, French and Arabic introductions, and what mail programs sign with
REPLY_ENDS = re.compile(
	r"^(?:--|_{10,}|-{2,} ?(?:original message|message d['’]origine|message original|الرسالة الأصلية).*"
	r"|le .{6,120} a écrit:|في .{4,120} (?:كتب|تمت كتابة).{0,80}:|(?:from|von|de|من) ?: .+@.+"
	r"|\*?(?:from|von|de|من) ?:\*? .+ \*?(?:sent|date|gesendet|datum|enviado(?: el)?|fecha|envoyé|تم الإرسال) ?:\*? .+"
	r"|(?:sent from|get) (?:my|outlook|mail) .*|von meinem .* gesendet|gesendet von (?:meinem|outlook) .*"
	r"|(?:enviado desde mi|obtener outlook) .*|envoyé (?:de mon|à partir de outlook) .*|أُرسلت من .*)$",
	re.IGNORECASE,
)

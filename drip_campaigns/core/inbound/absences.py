"""Recognizes the replies of machines for people who are away, in eight languages.

A machine's headers and the usual words make an absence. Without headers, the subject and the text must both say so: a
subject alone can be about anything ("Absence of an invoice").
"""

from __future__ import annotations

import re

_SUBJECTS = re.compile(
	r"^\W*(?:(?:re|aw|fwd?|tr|rif|res|antw|sv)\s*:\s*)*(?:\[[^\]]{1,30}\]\s*)?(?:"
	r"(?:automatic|auto(?:mated)?)[ -]?(?:reply|response|answer)\b|out[ -]of[ -](?:the[ -])?office|ooo\b|on (?:vacation|holiday|leave|annual leave|maternity|paternity|parental)"
	r"|away (?:from (?:the |my )?(?:office|desk|e-?mail)|until|on)|vacation\b|holiday (?:notice|reply)|i(?:'m| am) (?:away|out|on (?:vacation|holiday|leave))|annual leave|autoreply|auto-?reply|absence (?:notice|from)"
	r"|automatische[sr]? (?:antwort|abwesenheit\w*|r[üu]ckmeldung)|abwesend|abwesenheit\w*|(?:ich bin )?(?:nicht im (?:b[üu]ro|haus|dienst)|im urlaub)|urlaub\w*|elternzeit"
	r"|respuesta autom[áa]tica|auto[- ]?respuesta|fuera de (?:la )?oficina|ausente|ausencia|de vacaciones|vacaciones"
	r"|r[ée]ponse automatique|absence|absente?\b|message d['’]absence|en (?:cong[ée]s?|vacances)|cong[ée]s|hors du bureau"
	r"|risposta automatica|fuori (?:sede|ufficio)|assente|in ferie|resposta autom[áa]tica|fora do escrit[óo]rio|aus[êe]ncia|de f[ée]rias|em f[ée]rias|automatisch antwoord|afwezig\w*|met vakantie|niet aanwezig|autosvar"
	r"|رد تلقائي|الرد التلقائي|رد آلي|خارج المكتب|إجازة|في إجازة"
	r")"
	r"|\bis (?:out of the office|away|on (?:vacation|leave|holiday))\b|\((?:out of office|abwesend|ooo)\)",
	re.IGNORECASE,
)
_PHRASES = re.compile(
	r"out of (?:the |my )?office|on (?:vacation|holidays?|leave|annual leave|parental leave|maternity leave|paternity leave|sick leave|pto|a business trip)|(?:i am|i'm|i will be|i'll be) (?:\w+ )?(?:away|out|off|travel\w+|on)\b"
	r"|currently (?:away|out|on)|limited (?:access|e-?mail)|will (?:be back|return|get back to you)|(?:no|not have|without) access to (?:my )?e-?mail|not in the office|not (?:be )?reading (?:my )?e-?mail|respond (?:when|upon|after|once) (?:i|my)|when i (?:return|get back)|upon my return|no longer (?:with|at|work)"
	r"|abwesend|nicht im (?:b[üu]ro|haus|dienst)|im urlaub|außer haus|nicht erreichbar|ab dem|wieder (?:da|erreichbar|im b[üu]ro|zur[üu]ck)|in elternzeit|nicht weitergeleitet|in dringenden f[äa]llen|auf dienstreise"
	r"|fuera de (?:la |mi )?oficina|de vacaciones|ausente|estar[ée] de (?:vuelta|regreso)|de baja (?:hasta|por|m[ée]dica)|sin acceso al correo|no tengo acceso|acceso limitado|a mi regreso"
	r"|absente?\b|en cong[ée]s?|en vacances|hors du bureau|de retour|en d[ée]placement|(?:pas|sans) (?:d['’])?acc[èe]s à (?:mes|ma|mon)|à mon retour"
	r"|fuori (?:sede|ufficio)|assente|in ferie|al mio rientro|accesso limitato|fora do escrit[óo]rio|ausente|de f[ée]rias|em f[ée]rias|acesso limitado|afwezig|met vakantie|niet (?:op kantoor|aanwezig|bereikbaar)|vakantie|beperkt toegang"
	r"|خارج المكتب|في إجازة|بإجازة|لست في المكتب|غير موجود|سأعود|سوف أعود",
	re.IGNORECASE,
)
_ANSWER = re.compile(r"^\s*(?:re|aw|antw|rv|sv|ref|rép|رد|rif|res)\s*(?:\[\d+\])?:\s*", re.IGNORECASE)


def is_absence(subject: str, text: str, *, is_machine: bool) -> bool:
	"""Return whether a message says that a person is away; `is_machine` if its headers say that a machine answered."""
	says_subject, says_text = bool(_SUBJECTS.search(subject)), bool(_PHRASES.search(text))
	if is_machine:
		return says_subject or says_text
	if _ANSWER.match(subject):
		return False  # a person replies to an automatic reply
	return says_subject and says_text

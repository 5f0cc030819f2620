"""How people ask to get no more email, in eight languages: data for `opt_outs.py`.

Each language has three lists: words that are a request if they are all that a letter says, sentences that ask to be left
out of one list or series, and sentences that ask to be left out of everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class OptOutWords:
	"""The words of one language. `about_others` are sentences that look like a request and are none."""

	alone: frozenset[str]
	asks: re.Pattern
	everything: re.Pattern
	contrary: re.Pattern


def _language(
	alone: str, asks: tuple[str, ...], everything: tuple[str, ...], contrary: tuple[str, ...]
) -> OptOutWords:
	return OptOutWords(
		frozenset(" ".join(one.split()) for one in alone.split(",")),
		_any(asks),
		_any(everything),
		_any(contrary),
	)


def _any(patterns: tuple[str, ...]) -> re.Pattern:
	return re.compile("|".join(patterns) if patterns else r"(?!)", re.IGNORECASE)


# "me", "my address": what is removed is the writer
_ME = r"(?:me|us|myself|my|our|this|the (?:above|following))(?: (?:e-?mail|mail|address|account|name|details|data|contact|contact details|information|company|work|personal|id|e-?mail address|email id))*"
_LIST = r"(?:list|lists|mailing|mailings|mailing ?list|database|newsletters?|e-?mails?|mails?|distribution|campaigns?|subscriptions?|subscribers?|records|contacts|system|crm|files?|marketing|spam|communications?|messages|correspondence|sequence|drip|updates|notifications|promotions?)"
_OFF = r"(?:from|off|out of|off of|on|in)"
_MAILS = r"(?:e-?mails?|mails?|messages?|newsletters?|mailings?|offers?|spam|junk|stuff|this|these|those|it|communications?|notifications?|marketing|promotions?|updates|correspondence|advertis\w+|ads)"

ENGLISH = _language(
	"unsubscribe, unsubscribed, unsubscribe me, un-subscribe, stop, stopall, stop all, stop it, stop this, stop now, cancel, end, quit, remove, remove me, remove my email, removed, opt out, optout, opt-out, take me off, take off, delete me, delete, no more, no more emails, off, leave me alone, unsub, cease and desist, not interested remove, no thanks remove me, end subscription, cancel subscription, stop emails, stop email, stop mailing, stop messages",
	(
		r"^(?:\w+ ){0,3}un-?subscribe(?: ?(?:me|us|now|immediately|asap|today|again))*$",
		rf"\bun-?subscribe (?:{_ME}|from)\b(?! (?:colleague|coworker|boss|wife|husband|assistant|team|client|customer|friend|manager)).{{0,60}}",
		rf"\b(?:remove|delete|take|drop|strike|erase|cut|exclude|get|pull|scratch) {_ME}\b(?:.{{0,30}} {_OFF}(?: (?:your|this|that|the|all|any|every|these|those|future|further|such|mailing|of|our))* ?(?:\S+ ){{0,2}}?{_LIST}\b|$| (?:off|please|now|immediately|asap|from (?:this|it|there|here|everything))\W*$)",
		r"\b(?:remove|delete) (?:my|this|our) (?:e-?mail|mail|address|contact|name|data|details|information)\b",
		r"\b(?:stop|quit|cease|end|discontinue)(?: (?:sending|emailing|e-mailing|mailing|contacting|spamming|writing(?: to)?|messaging|bothering|bombarding|harassing|pestering))(?: (?:me|us|this|here|to))*\b(?! (?:paper|invoices|the invoice|letters|catalogs? by))",
		rf"\bcease (?:all|any|your|these|further|sending|contact)\b|\bstop (?:with )?(?:the|these|your|those|all(?: of)?(?: these| the| your)?|this|any) (?:\w+ )?{_MAILS}\b",
		rf"\b(?:don't|do not|dont|never|please no)(?: ever)? (?:send|e?-?mail|mail|contact|write(?: to)?|message|bother|spam|disturb)(?: (?:me|us|to me|here|this address))?(?: (?:any ?more|again|any|further|more|such|these|this|your|such kind of|unsolicited|anything|ever|at all|please|in (?:the )?future))*(?: {_MAILS})?(?: (?:any ?more|again|please|in (?:the )?future|to this address|ever|at all))*\W*$",
		rf"\bno (?:more|further|longer)(?: of (?:these|your|this))? ?(?:\w+ )?{_MAILS}\b(?!.{{0,20}}\bquestion)",
		r"\b(?:i|we)(?:'d| would| do)?(?: really| just| also| now| kindly)? ?(?:want|wish|like|need|request|ask|prefer|demand|opt)(?: you)? (?:to )?(?:be )?(?:unsubscribed?|opt(?:ed)?[- ]?out|removed?|taken off|deleted?|left out|out|cancel (?:my|this) (?:subscription|newsletter)|(?:no longer|not|never) (?:receive|get|be (?:contacted|emailed|mailed|on)|hear)|stop (?:receiving|getting|these|this|the))\b",
		rf"\b(?:i|we)(?:'m| am| are)? ?(?:(?:no longer|don't|do not|dont|never|not) (?:want|wish|care|need|like|wanting|interested in|asked? for|signed? up for|subscribed?)(?: to)?(?: (?:receive|receiving|get|getting|hear|hearing|be (?:contacted|on|emailed|included)|any|more|further|your|these|this|such|from|you|anything|to|of|for|in|any ?more))* ?(?:\w+ )?(?:{_LIST}|{_MAILS}|you|again|any ?more)\b)",
		r"\bopt(?:ing)? (?:me |us )?out\b|\bopt-?out (?:of|from|please|request)|\bunsubscribe(?: request)?,? please|please,? unsubscribe|\bmy unsubscribe request|\bplease (?:kindly )?(?:un-?subscribe|remove|stop|opt me out)\W*$|\bhow many times .{0,40}unsubscribe|\btried to unsubscribe|\bunsubscribe (?:link|button) (?:does|is|did)\w*n?'?t? ?(?:not )?work",
		rf"\b(?:get|take) me off\b(?! (?:the ground|hold|guard|track))|\boff (?:of )?(?:your|this) (?:\w+ )?{_LIST}\b|\bcancel (?:my|this|the) (?:newsletter|e-?mail|mailing)s?(?: subscription)?|\bleave me alone\b|\blose my (?:e-?mail|address)\b",
		r"\bremove from (?:the |your |this |all )?(?:\w+ )?(?:mailing|list|lists|emails?)\b",
	),
	(
		r"\ball (?:of )?(?:your |the |these |future |further |my )?(?:\w+ )?(?:lists?|e-?mails?|mailings?|mailing lists|newsletters|communications?|correspondence|marketing|messages|databases?)\b|\beverything\b|\bany (?:and all|other|of your|kind|more|further|longer|lists?|communications?)|\bno (?:more|further) (?:contact|communication|messages|e-?mails? (?:of any|from you))|\bdatabase|\b(?:never|don't|do not|dont|stop)(?: ever)? (?:contact|e-?mail|mail|write|message|spam|emailing|contacting|spamming|mailing|bother)|\bstop ?all\b|\bevery (?:list|e-?mail)|\bdelete (?:me|my|all)|\berase|\bgdpr|\bleave me alone|\bfrom you(?:r company)?\b",
	),
	(
		r"\b(?:don't|do not|dont|never|not|no need to|didn't|did not|won't|please keep|without|cannot|can't|shouldn't) (?:want (?:you )?to )?(?:un-?subscribe|remove|delete|opt|take|cancel)(?! ?(?:link|button))",
		r"\b(?:un-?subscribe|remove|take|delete|opt) (?:my |our |the |your )?(?:colleagues?|coworkers?|boss|wife|husband|assistant|team|clients?|customers?|friends?|managers?|him|her|them|it|mr|mrs|ms|john|someone|somebody|users?|people|others|members)\b",
		r"\b(?:how (?:do|can|would|does|to)|where|what happens|why|when|who|can (?:i|we|people|users|one)|could (?:i|we)|do (?:i|we|you)|is (?:there|it)|should (?:i|we)|if (?:i|we|you)) .{0,80}(?:un-?subscrib|remov|opt|cancel|stop|delet)",
		r"\b(?:by mistake|accident|re-?subscribe|subscribe me again|back on (?:the|your) list|add me|keep me|stay (?:on|subscribed)|sign me up|happy to (?:receive|stay)|love (?:your|these))",
		r"\b(?:waiting|guest|price|order|shopping|to-?do|wish|short) ?list\b|\be?-?mails? (?:are |is )?(?:needed|necessary|required)",
		r"\b(?:un-?subscribe|opt-?out|removal|stop) (?:rates?|page|feature|function|form|process|header|links? (?:in|for)|emails? (?:feature|tool))",
		r"\b(?:remove|take|delete) (?:me|us|my name|my|this|our) .{0,20}(?:invite|invitation|meeting|cc|thread|invoice|order|cart|item|waiting|calendar|webinar|event|account manager|agenda|attendee|guest)",
	),
)

GERMAN = _language(
	"abmelden, abmeldung, austragen, abbestellen, abbestellung, stop, stopp, newsletter abbestellen, newsletter abmelden, abmelden vom newsletter, mich abmelden, mich austragen, keine weiteren e-mails, keine weiteren mails, keine emails mehr, keine e-mails mehr, keine mails mehr, keine werbung, keine werbung mehr, löschen, abo beenden, kündigen, bitte löschen, raus, nicht mehr, aufhören",
	(
		r"\b(?:melden|melde|meld|meldet|tragen|trage|trag|tragt)(?: sie)? (?:mich|uns|meine|unsere|diese)\b.{0,60}\b(?:ab|aus)\b",
		r"\b(?:nehmen|nimm|nehmt|lassen|werfen|schmeißen|setzen|holen)(?: sie)? (?:mich|uns|meine|unsere|diese)\b.{0,60}\b(?:aus|von|raus|heraus|herunter|runter)\b",
		r"\b(?:streichen|streiche|streich|streicht|löschen|lösche|lösch|löscht|entfernen|entferne|entfern|entfernt)(?: sie)? (?:mich|uns|meine|unsere|diese)\b.{0,60}",
		r"\b(?:abmeldung|austragung|abbestellung|löschung)\b.{0,40}\b(?:newsletter|verteiler|liste|mailing\w*|e-?mails?|adresse|daten)",
		r"\b(?:mich|uns|meine (?:e-?mail|mail|adresse|daten|e-?mail-?adresse)|diese (?:e-?mail-?)?adresse)\b.{0,60}\b(?:abmelden|austragen|abbestellen|löschen|entfernen|streichen|herausnehmen|rausnehmen|nehmen|auszutragen|abzumelden|zu löschen|zu streichen|zu entfernen)\b",
		r"\b(?:newsletter|verteiler|mailing|mailingliste|liste|e-?mails?|mails|abo|werbung|anmeldung)\b.{0,40}\b(?:abbestellen|abmelden|austragen|kündigen|abzubestellen|beenden|stornieren|widerrufe?|einstellen)\b",
		r"\bkeine? (?:weiteren?|mehr|solchen?|werbe)?[ -]?(?:e-?mails?|mails?|newsletter|nachrichten|werbung|zuschriften|angebote|zusendung\w*|werbemails?|infos?)\b.{0,30}(?:mehr|bitte|senden|schicken|zusenden|erhalten|bekommen|wünsch\w*|$)",
		r"\b(?:schreiben|schicken|senden|kontaktieren|mailen|belästigen|anschreiben) sie (?:mir|mich|uns)\b.{0,30}\b(?:nicht mehr|nie wieder|keine|nichts mehr)\b|\b(?:möchte|will|wünsche|wollen|möchten)\b.{0,60}\b(?:keine|nicht mehr|nie wieder)\b.{0,60}\b(?:mails?|e-?mails?|newsletter|nachrichten|werbung|post|kontaktiert|angeschrieben|erhalten|bekommen|belästigt|zusendung)\w*",
		r"\b(?:aus|von) (?:dem|der|ihrem|ihrer|eurem|eurer|diesem|allen|ihren) (?:\w+ )?(?:verteiler|liste|listen|datenbank|verteilern|newsletter)\b.{0,20}\b(?:nehmen|streichen|löschen|entfernen|austragen|raus\w*)|\bbitte (?:abmelden|austragen|löschen|streichen|entfernen)\W*$|\bwiderspreche\b.{0,80}\b(?:werbung|nutzung|zusendung|verwendung)|\b(?:hören sie|hört) (?:bitte )?auf\b|\blassen sie mich in ruhe\b|\bunterlassen sie\b.{0,60}",
	),
	(
		r"\ball(?:e|en|er|es)\b|\bdatenbank|\bkeine(?:rlei)? (?:weiteren? )?(?:e-?mails?|mails?|werbung|nachrichten)|\bnie (?:wieder|mehr)|\bnicht mehr (?:anschreiben|kontaktieren|schreiben)|\bkontaktieren\b|\blösch|\bdsgvo|\bin ruhe|\bwiderspreche|\bschreiben sie mir",
	),
	(
		r"\b(?:mich|uns) (?:bitte )?(?:nicht|niemals) (?:ab|aus|vo[nm])\b|\b(?:nicht|niemals|auf keinen fall) (?:abmelden|austragen|abbestellen|löschen|streichen|entfernen|vom)\b|\b(?:herrn?|frau|kolleg\w+|ihn|sie ihn|mitarbeiter\w*|chef\w*)\b.{0,60}\b(?:ab|austragen|abmelden|löschen|raus)\b",
		r"\b(?:wie|wo|warum|wann|was) .{0,60}(?:abmeld|abbestell|austrag|kündig|lösch)|\bkann (?:ich|man) .{0,60}\?|\baus versehen|\bversehentlich|\bwieder (?:anmelden|aufnehmen)|\bbehalten\b|\babmelde(?:quote|rate|seite|link)\b|\b(?:termin|bestellung|auftrag|rechnung|artikel|position|vertrag)\b.{0,40}\b(?:lösch|streich|kündig|storn|entfern)",
	),
)

SPANISH = _language(
	"baja, dar de baja, darme de baja, darse de baja, deme de baja, dame de baja, denme de baja, cancelar suscripción, cancelar la suscripción, cancelar mi suscripción, cancelar suscripcion, no más correos, no mas correos, eliminar, alto, parar, basta, desuscribir, desuscribirme, remover, bórrame, bórrenme, cancelar, no más, no enviar más, stop",
	(
		r"\b(?:dar(?:me|nos|se)|de(?:n)?me|dame|dadme|darnos|solicito|quiero|deseo|pido|tramit\w+|procedan? a) (?:(?:la|mi|de|dar(?:me)?|causar|que me|a|den|solicitar|una) )*baja\b",
		r"\b(?:elimin|borr|quit|sac|retir|remuev|suprim|exclu)\w*(?:me|nos|n?me|an)\b(?: (?:por favor|ya))?(?: .{0,20}(?:lista|listas|correo|correos|base|boletín|newsletter|mailing|suscrip\w*|envíos?)\b|\W*$)|\b(?:eliminar|borrar|quitar|retirar|eliminen|borren|quiten|retiren|elimine|borre|quite|retire) (?:mi|mis|este|nuestro|esta) (?:correo|e-?mail|direcci[oó]n|datos|cuenta|nombre|suscripción)\b",
		r"\bno (?:me|nos|quiero|deseo|queremos|deseamos|quisiera)\b.{0,30}\b(?:env[ií]\w*|mand\w*|escrib\w*|contact\w*|recib\w*|molest\w*|lleg\w*)\b.{0,30}(?:m[aá]s|correos?|e-?mails?|mensajes?|publicidad|nada|bolet\w+|informaci[oó]n)?|\b(?:dejen?|deja|pare|paren|para) de (?:enviar|mandar|escribir|contactar|molestar|spam)\w*",
		r"\bno m[aá]s (?:correos?|e-?mails?|mensajes?|publicidad|spam|bolet\w+)|\b(?:cancel\w+|anul\w+) (?:mi|la|esta|el) (?:suscripci[oó]n|bolet[ií]n|newsletter)\b|\bdesuscrib\w*|\bdesinscrib\w*|\bdesapunt\w*",
	),
	(
		r"\btod[oa]s?\b|\bbase de datos|\bno (?:me|nos) (?:escrib|contact|env[ií]|mand|molest)\w*|\bnunca m[aá]s|\bdejen? de|\bnada m[aá]s|\bborr|\bning[uú]n",
	),
	(
		r"\bno (?:me )?(?:den?|dar|quiero dar\w*|dame|cancel\w+|elimin\w+|borr\w+|quit\w+)(?: de)?(?: (?:baja|la suscripción))?\b(?!.{0,20}(?:m[aá]s correos|recib))|\b(?:c[oó]mo|d[oó]nde|por qu[eé]|cu[aá]ndo|puedo|se puede)\b.{0,60}(?:baja|cancel|elimin|suscrip)|\bdar de baja (?:mi|el|la|un|una|nuestr\w+) (?!correo|e-?mail|direcc|suscrip|cuenta de correo)|\bbaja (?:m[eé]dica|laboral|un|el|al|a (?:mi|un)|por (?:enfermedad|maternidad)|temporada|de precio)|\bpor error|\bde vuelta|\b(?:contrato|pedido|factura|cita|reuni[oó]n|compañer\w+|colega)\b",
	),
)

FRENCH = _language(
	"désabonner, désabonnement, désabonnez moi, désabonnez-moi, me désabonner, se désabonner, désinscrire, désinscription, désinscrivez moi, désinscrivez-moi, me désinscrire, se désinscrire, retirez moi de votre liste, retirez moi de la liste, desabonner, desinscription, desabonnement, desinscrire, stop, stop mail, stop aux mails, plus de mails, supprimer, résilier, arrêtez, arrêt, me retirer, supprimez moi, supprimez-moi, enlevez-moi",
	(
		r"\b(?:d[ée]sabonn\w+|d[ée]sinscri\w+)(?:[- ]moi|[- ]nous)\b|\b(?:me|m'|nous) (?:d[ée]sabonner|d[ée]sinscrire|retirer|supprimer|enlever|radier|ôter|rayer)\b|\b(?:souhaite|voudrais|veux|d[ée]sire|demande|aimerais|souhaitons)\b.{0,40}\b(?:d[ée]sabonn\w+|d[ée]sinscri\w+|(?:ne )?plus (?:recevoir|être)|être (?:retir|supprim|d[ée]sinscri|d[ée]sabonn|enlev|ray|exclu)\w+)",
		r"\b(?:retirez|supprimez|enlevez|effacez|rayez|radiez|ôtez|sortez|retire|supprime|enlève)[- ](?:moi|nous|mon|mes|notre|cette)\b.{0,60}|\b(?:supprimer|retirer|effacer|enlever) (?:mon|mes|notre|cette) (?:adresse|e-?mail|mail|nom|donn[ée]es|coordonn[ée]es|contact)\b",
		r"\b(?:ne )?(?:m'envoyez|m'[ée]crivez|me contactez|me sollicitez|nous envoyez|m'envoyer|me contacter|me d[ée]rangez|n'envoyez)\b.{0,20}\bplus\b|(?<!moi )(?<!recevoir )(?<!souhaite )\bplus (?:de |d'|aucun )(?:\w+ )?(?:mails?|e-?mails?|courriels?|messages?|publicit[ée]s?|newsletters?|sollicitations?)\b|\b(?:arr[êe]te[rz]?|cessez|cesser|stoppez) (?:de |d'|vos |ces |les |l'|tout )",
		r"\b(?:ne (?:veux|souhaite|d[ée]sire|voulons|souhaitons)|(?<!ne )veux|(?<!ne )souhaite) plus (?:recevoir|être|de (?:mails?|e-?mails?|messages?|courriels?))\b.{0,60}|\bd[ée]sabonnement\b.{0,30}(?:svp|s'il|merci|imm[ée]diat|liste|newsletter|\W*$)|\bd[ée]sinscription\b.{0,30}(?:svp|s'il|merci|liste|newsletter|\W*$)|\b(?:r[ée]silier|annuler) (?:mon|l') ?(?:abonnement|inscription)\b.{0,20}(?:newsletter|lettre|mail)",
	),
	(
		r"\btou(?:t|s|tes)\b|\bbase de donn[ée]es|\bplus (?:jamais|aucun|de mails?|me contacter)|\bcontact|\bm'(?:[ée]criv|envoy)|\beffac|\bsupprim\w+ (?:mon|mes)|\brgpd",
	),
	(
		r"\bne (?:me )?(?:d[ée]sabonnez|d[ée]sinscrivez|retirez|supprimez)\w*(?:[- ]moi)? pas|\b(?:comment|o[ùu]|pourquoi|quand|peut-on|puis-je|est-ce que)\b.{0,60}(?:d[ée]sabonn|d[ée]sinscri|supprim|r[ée]sili|retir)|\b(?:un|une|mon|ma|le|la) (?:coll[èe]gue|client\w*|ami\w*|patron\w*)|\bpar erreur|\br[ée]abonn|\brestez?\b|\btaux de d[ée]s|\b(?:commande|facture|rendez-vous|r[ée]union|contrat|article)\b",
	),
)

ARABIC = _language(
	"إلغاء الاشتراك, الغاء الاشتراك, إلغاء اشتراكي, الغاء اشتراكي, إيقاف, ايقاف, توقف, توقفوا, ألغوا اشتراكي, الغوا اشتراكي, أزلني, احذفوني, احذفني, كفى, إلغاء, الغاء, لا مزيد من الرسائل, stop",
	(
		r"(?:إلغاء|الغاء|ألغ\w*|الغ\w*|أوقف\w*|اوقف\w*) (?:ال)?(?:اشتراك\w*|إشتراك\w*|رسائل\w*|مراسلات\w*)|(?:أ|ا)?(?:زيلوا|زلني|زيلوني|حذفوا|حذفوني|حذفني|زل|حذف|شطب\w*)\b.{0,40}(?:بريدي|عنواني|اسمي|إيميلي|ايميلي|القائمة|قائمت\w*|قوائم\w*|القوائم)|(?:أزيلوني|ازيلوني|احذفوني|أزلني|احذفني)",
		r"(?:لا|عدم|بعدم) (?:ترسل\w*|تراسل\w*|تبعث\w*|إرسال|ارسال|مراسلت\w*|تتواصل\w*|التواصل|أريد|اريد|أرغب|ارغب|نريد|نرغب)\b.{0,60}(?:رسائل|رسالة|بريد|إيميل\w*|ايميل\w*|مزيد|المزيد|بعد الآن|مجددا|مرة أخرى|الاستلام|استلام|تلقي|معي|معنا|شيئا|لي|إلي|إعلانات)|(?:توقفوا|توقف|كفوا|كفى) (?:عن|من) .{0,30}|(?:أريد|اريد|أرغب|ارغب|أود|اود)\b.{0,20}(?:إلغاء|الغاء|إيقاف|ايقاف)\b.{0,20}(?:اشتراك|رسائل|الاشتراك|الرسائل)",
	),
	(r"(?:كل|جميع|أي|قاعدة البيانات|كافة|نهائيا|أبدا|لا ترسل\w*|لا تتواصل\w*|لا تراسل\w*)",),
	(
		r"(?:كيف|متى|أين|هل|لماذا)\b|(?:لا|دون) (?:تلغ\w*|إلغاء|الغاء|تحذف\w*|تزيل\w*)|بالخطأ|الاحتفاظ|زميل\w*|العقد|الطلب|الفاتورة|الموعد",
	),
)

PORTUGUESE = _language(
	"descadastrar, descadastre-me, descadastrar-me, cancelar, cancelar inscrição, cancelar a inscrição, cancelar assinatura, cancelar subscrição, sair, remover, remova-me, me remova, me remove, parar, pare, chega, não quero mais, remover da lista, sair da lista, stop, anular subscrição",
	(
		r"\b(?:me )?(?:remov[ae]m?|retir[ae]m?|tir[ae]m?|exclu[ai]m?|elimin[ae]m?|apagu?[ae]m?|descadastr\w+|desinscrev\w+)(?:[- ](?:me|nos|o meu|meu|meus|este))?\b.{0,40}(?:lista|listas|e-?mails?|mailing|newsletter|cadastro|base|contatos?|contactos?|endereço)\b|\b(?:quero|queria|gostaria|desejo|solicito|peço)\b.{0,40}\b(?:descadastr\w+|sair|remo\w+|cancelar (?:a|minha) (?:inscrição|assinatura|subscrição)|ser (?:removid|retirad|excluíd)\w+|deixar de receber|não receber)",
		r"\bnão (?:me )?(?:quero|queremos|desejo|gostaria de|envi\w+|mand\w+|contact\w+|contat\w+|escrev\w+)\b.{0,40}(?:mais|e-?mails?|mensagens?|publicidade|propaganda|receber|nada)|\b(?:pare|parem|deixe|deixem) de (?:me )?(?:enviar|mandar|contactar|contatar|escrever|incomodar)|\bsem mais e-?mails?|\bchega de e-?mails?|\bcancel\w+ (?:a |minha |a minha )?(?:inscrição|subscrição|assinatura)\b.{0,20}(?:newsletter|e-?mails?|\W*$)",
	),
	(
		r"\btod[oa]s?\b|\bnenhum|\bbase de dados|\bnão me (?:contact|contat|envi|escrev|mand)\w*|\bnunca mais|\bparem? de|\bapag|\blgpd",
	),
	(
		r"\bnão (?:me )?(?:remov\w+|retir\w+|cancel\w+|descadastr\w+|exclu\w+)\b(?!.{0,20}mais)|\b(?:como|onde|por que|quando|posso)\b.{0,60}(?:descadastr|cancel|remov|sair)|\bpor engano|\b(?:pedido|fatura|reunião|contrato|colega|encomenda)\b",
	),
)

ITALIAN = _language(
	"disiscrizione, disiscrivimi, disiscrivetemi, cancellami, cancellatemi, cancellazione, cancella iscrizione, cancellare iscrizione, annulla iscrizione, rimuovimi, rimuovetemi, basta, stop, fermatevi, non scrivetemi più, toglietemi, annullare l'iscrizione, disiscrivermi, cancellarmi",
	(
		r"\b(?:cancell|rimuov|togli|elimin|disiscriv|depenn|disabbon)\w*(?:mi|ci|temi|teci|ermi|armi)\b.{0,60}|\b(?:cancell|rimuov|elimin|togli)\w* (?:il mio|la mia|i miei|questo|il nostro) (?:indirizzo|e-?mail|mail|nome|nominativo|dati|contatto)\b|\b(?:vorrei|voglio|desidero|chiedo|vorremmo)\b.{0,40}\b(?:cancell\w+|disiscriv\w+|(?:essere|venire) (?:rimoss|cancellat|tolt|eliminat|disiscritt)\w+|non ricevere|annullare l'iscrizione|disdire)",
		r"\bnon (?:voglio|desidero|vogliamo|intendo|vorrei)\b.{0,20}\b(?:più|ricevere|essere contattat\w+)\b.{0,40}|\bnon (?:inviat\w+|inviar\w+|mandat\w+|mandar\w+|scrivet\w+|scriver\w+|contattat\w+|contattar\w+)\b.{0,30}(?:più|altre|nulla|niente)?|\b(?:smett\w+|basta|finitela) (?:di|con) .{0,40}|\b(?:nessun'?altra|niente più|più nessuna|basta) (?:e-?mail|mail|messaggi|pubblicità)",
	),
	(
		r"\btutt[ieao]\b|\bnessun|\bdatabase|\bbanca dati|\bnon (?:scriv|contatt|inviat|mandat)\w+|\bmai più|\bsmett|\bgdpr",
	),
	(
		r"\bnon (?:mi )?(?:cancell\w+|rimuov\w+|disiscriv\w+|togli\w+)\b|\b(?:come|dove|perché|quando|posso)\b.{0,60}(?:cancell|disiscri|rimuov|annull)|\bper errore|\b(?:ordine|fattura|riunione|contratto|collega|appuntamento)\b",
	),
)

DUTCH = _language(
	"afmelden, uitschrijven, afmelding, uitschrijving, meld mij af, schrijf mij uit, stop, verwijderen, verwijder mij, stoppen, geen mail meer, geen e-mails meer, geen mails meer, opzeggen, ophouden, mij afmelden, mij uitschrijven",
	(
		r"\b(?:meld|meldt|schrijf|schrijft)(?: u)? (?:mij|me|ons)\b.{0,40}\b(?:af|uit)\b|\b(?:haal|haalt|neem|gooi)(?: u)? (?:mij|me|ons|mijn|dit|deze|onze)\b.{0,40}\b(?:uit|van|af)\b|\b(?:verwijder|verwijdert|schrap)(?: u)? (?:mij|me|ons|mijn|dit (?:adres|e-?mail\w*)|deze|onze)\b.{0,60}|\b(?:mij|me|ons|mijn (?:adres|e-?mail\w*|gegevens|mailadres))\b.{0,40}\b(?:afmelden|uitschrijven|verwijderen|schrappen|af te melden|uit te schrijven|te verwijderen)\b|\b(?:wil|wilt|willen|wens|zou|graag)\b.{0,50}\b(?:afmelden|uitschrijven|uitgeschreven|afgemeld|verwijderd|geen (?:\w+ )?(?:mails?|e-?mails?|nieuwsbrie\w+|berichten|reclame))\b",
		r"\bgeen (?:verdere |nieuwe )?(?:mails?|e-?mails?|nieuwsbrie\w+|berichten|reclame|post)\b.{0,20}(?:meer|sturen|ontvangen|a\.?u\.?b|$)|\b(?:stuur|mail|schrijf|benader|contacteer)\w* (?:mij|me|ons)\b.{0,30}\b(?:niet meer|geen|niets meer|nooit meer)\b|\b(?:stop|hou op|houd op) (?:met|alsjeblieft) .{0,40}|\b(?:nieuwsbrief|mailing|abonnement op de nieuwsbrief)\b.{0,30}\b(?:afmelden|opzeggen|uitschrijven|stoppen|beëindigen)\b",
	),
	(
		r"\balle\b|\balles\b|\bgeen enkele|\bdatabase|\bbestand|\bnooit meer|\bniet meer (?:mailen|benaderen|contact)|\bstop met|\bavg\b",
	),
	(
		r"\bniet (?:afmelden|uitschrijven|verwijderen)\b|\b(?:hoe|waar|waarom|wanneer|kan ik)\b.{0,60}(?:afmeld|uitschrij|verwijder|opzeg)|\bper ongeluk|\b(?:collega|bestelling|factuur|afspraak|vergadering|contract)\b",
	),
)

LANGUAGES = (ENGLISH, GERMAN, SPANISH, FRENCH, ARABIC, PORTUGUESE, ITALIAN, DUTCH)

# Polite words that say nothing by themselves, in all languages
POLITE = re.compile(
	r"(?<!\w)(?:please|kindly|pls|plz|thanks?(?: you)?|thx|hello|hi|hey|sorry|dear sirs?|immediately|asap|now|bitte(?: sehr)?|danke|vielen dank|hallo|guten tag|sofort|umgehend|por favor|gracias|hola|muchas|favor de|s'il vous pla[iî]t|s'il te pla[iî]t|svp|merci(?: de| d'avance)?|bonjour|de|من فضلك|من فضلكم|لو سمحت|لو سمحتم|رجاءً?|الرجاء|يرجى|أرجو|شكراً?|مرحبا|obrigad[oa]|grazie|per favore|per cortesia|prego|ciao|alstublieft|a\.?u\.?b\.?|graag|bedankt|dank u)(?!\w)",
	re.IGNORECASE,
)

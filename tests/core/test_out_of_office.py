"""Days of return in out-of-office replies: the certain day, or none. All arrive on Friday, 27 November 2026."""

from datetime import date

import pytest

from drip_campaigns.core.inbound.out_of_office import find_return_date

FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
	("text", "back_on"),
	[
		("I will be out of the office starting 11/30/2026 and will not return until 12/14/2026.", date(2026, 12, 15)),
		("I will be out of the office from 11/30 to 12/11.", date(2026, 12, 12)),
		("I am away from November 30th through December 4th and back on December 7th.", date(2026, 12, 7)),
		("I'm out Nov 30 - Dec 4.", date(2026, 12, 5)),
		("Out of office December 12-16.", date(2026, 12, 17)),
		("I'll be back on Monday.", date(2026, 11, 30)),
		("I return Monday, November 30.", date(2026, 11, 30)),
		("Away until Wednesday", date(2026, 12, 3)),
		("I am on vacation until Monday, December 7.", date(2026, 12, 8)),
		("Returning on 12/07/2026 (I left on 11/25/2026).", date(2026, 12, 7)),
		("I will be back 04/12.", None),
		("I will be out of office between 1 December and 5 December 2026.", date(2026, 12, 6)),
		("I'm on leave. My first day back is January 4, 2027.", date(2027, 1, 4)),
		("Ich bin vom 30.11. bis 11.12.2026 im Urlaub.", date(2026, 12, 12)),
		("Ich bin vom 12. bis 16. Dezember nicht im Büro.", date(2026, 12, 17)),
		("Ab dem 07.12. bin ich wieder erreichbar.", date(2026, 12, 7)),
		("Ich bin bis einschließlich Freitag, den 4. Dezember abwesend.", date(2026, 12, 5)),
		("Ich bin ab Montag wieder da.", date(2026, 11, 30)),
		("Je suis absent du 30/11 au 04/12.", date(2026, 12, 5)),
		("Je serai de retour le lundi 7 décembre.", date(2026, 12, 7)),
		("Je suis en congés jusqu'au 05/12 inclus.", date(2026, 12, 6)),
		("Estaré fuera de la oficina del 30 de noviembre al 4 de diciembre.", date(2026, 12, 5)),
		("Regreso el 07/12/2026.", date(2026, 12, 7)),
		("Sono in ferie dal 30 novembre al 4 dicembre.", date(2026, 12, 5)),
		("Tornerò il 7 dicembre.", date(2026, 12, 7)),
		("Estou de férias de 30/11 a 04/12.", date(2026, 12, 5)),
		("Ik ben afwezig tot en met 4 december.", date(2026, 12, 5)),
		("Ik ben vanaf 7 december weer bereikbaar.", date(2026, 12, 7)),
		("أنا في إجازة من 30 نوفمبر إلى 4 ديسمبر", date(2026, 12, 5)),
		("I am away today. Our fair is on 12 December.", None),
		("I'm on parental leave.", None),
		("I am out of the office until 2026-12-09 with no access.", date(2026, 12, 10)),
		("I'll be out from Monday 11/30 returning Thursday 12/3.", date(2026, 12, 3)),
		("I am currently out of the office and will be returning on the 7th of December.", date(2026, 12, 7)),
		("I will be back in the office on Dec 7. For urgent matters call until Dec 4 my colleague.", date(2026, 12, 7)),
	],
)  # fmt: skip
def test_the_day_of_return_is_read_or_not_certain(text, back_on):
	assert find_return_date(text, FRIDAY) == back_on

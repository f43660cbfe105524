"""Whether nobody wrote a mail: absence notes and other automatic answers. Pure.

By the marks of RFC 3834 and those that were there before it; where a program leaves none, by the
words that its subject begins with in the languages that most people have set.
"""

import re
from email.message import Message

_NOT_MARKED = "no"
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "bulk", "junk"})
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply")
_SUPPRESSING = re.compile(r"\b(all|oof|autoreply)\b", re.IGNORECASE)

_SUBJECT = re.compile(
    r"\W{0,9}(?:(?:re|aw|sv|antw)\b\W{1,9})?(?:"
    r"auto(?:matic|mated|matically generated)?[ -]?(?:reply|response|answer)"
    r"|out[ -]of[ -](?:the[ -])?office|vacation (?:reply|response)|away from (?:my|the) desk"
    r"|automatische (?:antwort|r[ée]ponse)|abwesenheit|ich bin (?:nicht|au(?:ß|ss)er)|autoantwort"
    r"|r[ée]ponse automatique|absence du bureau|absent du bureau|message d.absence"
    r"|respuesta autom[aá]tica|fuera de (?:la )?oficina|ausente"
    r"|risposta automatica|fuori (?:sede|ufficio)|assente"
    r"|resposta autom[aá]tica|fora do escrit[oó]rio|aus[eê]ncia"
    r"|automatisch antwoord|afwezig|automatisk (?:svar|besked)|autosvar|automatiskt svar"
    r"|automaattinen vastaus|poissa|automatyczna odpowied|odpowied[zź] automatyczna|nieobecno"
    r"|automatick[aá] odpov|automatikus v[aá]lasz|r[aă]spuns automat|otomatik yan[iı]t"
    r"|автоответ|автоматическ|αυτόματη|自動返信|自动回复|自動回覆|자동 ?회신|자동 ?응답"
    r")",
    re.IGNORECASE,
)


def is_automatic(mail: Message, subject: str) -> bool:
    """`subject` is the mail's own, decoded."""
    marked = _field(mail, "Auto-Submitted").partition(";")[0].strip() or _NOT_MARKED
    return bool(
        marked != _NOT_MARKED
        or _field(mail, "Precedence") in _PRECEDENCE
        or any(mail.get(mark) is not None for mark in _MARKS)
        or _SUPPRESSING.search(_field(mail, "X-Auto-Response-Suppress"))
        # From nobody, so that nobody answers it (RFC 5321 section 4.5.5).
        or _field(mail, "Return-Path") == "<>"
        or _SUBJECT.match(subject)
    )


def _field(mail: Message, name: str) -> str:
    return " ".join(str(mail.get(name, "")).split()).lower()

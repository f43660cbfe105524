"""What a person wrote in an answer: its beginning, without what it quotes. Pure."""

import re
from collections.abc import Iterator
from email.message import Message
from html import unescape

from django.utils.html import strip_tags

LONGEST = 2_000
_LONGEST_PART = 100_000
_MOST_PARTS = 60

# What stands above a quoted mail, in the languages that most mail programs are set to.
_QUOTE_BEGINS = re.compile(
    r"^\s*(?:>"
    r"|-{2,}\s*(?:original|forwarded|urspr|weitergel|message d|mensaje|messaggio|mensagem|oorspr)"
    r"|_{10,}\s*$"
    r"|.{0,200}\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|napisał"
    r"|kirjoitti)\b.{0,80}:\s*$"
    r"|(?:from|von|de|da|van|från|fra)\s?:\s.+@"
    r")",
    re.IGNORECASE,
)

# The whole first line, as people write it who want no more; also as the subject.
_STOP = re.compile(
    r"\W*(?:(?:please|bitte|pls)[ ,]+)?(?:"
    r"stop|unsubscribe(?: me)?|(?:remove|delete|take) me(?: off| out)?"
    r"(?: (?:from|of) (?:your|the|this)(?: mailing)? list)?|opt[ -]?out|no more (?:e-?)?mails?"
    r"|abmelden|abbestellen|austragen|keine (?:e-?)?mails? mehr"
    r"|(?:se |me )?d[ée]sabonner|d[ée]sinscription|d[ée]sinscrire|d[ée]sabonnement"
    r"|(?:dar(?:me|se) de )?baja|cancelar (?:la )?suscripci[oó]n"
    r"|disiscrivi(?:mi)?|cancellami|cancella iscrizione|annulla iscrizione"
    r"|afmelden|uitschrijven|avregistrera|avsluta prenumeration|avmeld|afmeld"
    r"|cancelar (?:a )?(?:inscri[cç][aã]o|subscri[cç][aã]o)|descadastrar|remover"
    r"|wypisz(?: mnie)?|odhl[aá]sit|leiratkoz[aá]s|dezabonare"
    r"|отписаться|отпишите|退订|配信停止|수신거부"
    r")\W*",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"^(?:\s*(?:re|aw|sv|antw|rif|odp|vs)\s*:)+\s*", re.IGNORECASE)


def text_of(mail: Message) -> str:
    """The beginning of what was written, in plain words and at most LONGEST characters."""
    lines: list[str] = []
    for line in _body(mail).splitlines():
        if _QUOTE_BEGINS.match(line):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:LONGEST]


def asks_to_stop(subject: str, text: str) -> bool:
    """Whether it says that, and nothing else first."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    wants_by_subject = _ANSWER.match(subject) is None and _STOP.fullmatch(subject)
    return bool(wants_by_subject or _STOP.fullmatch(first.strip()))


def _body(mail: Message) -> str:
    plain = next(_texts(mail, "text/plain"), "")
    if plain.strip():
        return plain
    return _without_markup(next(_texts(mail, "text/html"), ""))


# How something begins that nobody sees, and how it ends.
_UNSEEN = (("<!--", "-->"), ("<style", "</style"), ("<script", "</script"), ("<head", "</head"))
_LINE_ENDS = re.compile(r"(?i)<br\b[^>]{0,200}>|</(?:p|div|tr|li|h[1-6]|blockquote)\s*>")
_QUOTED = re.compile(r"(?is)<blockquote\b.*")


def _without_markup(html: str) -> str:
    """The words of a stranger's HTML, to be shown as text and never as HTML."""
    seen = _QUOTED.sub("", html)
    for begin, end in _UNSEEN:
        seen = _without(seen, begin, end)
    return unescape(strip_tags(_LINE_ENDS.sub("\n", seen)))


def _without(html: str, begin: str, end: str) -> str:
    """Each place from `begin` to `end` cut out, to the end of all where that never comes."""
    begins = re.compile(re.escape(begin), re.IGNORECASE)
    ends = re.compile(rf"{re.escape(end)}\s{{0,9}}>?", re.IGNORECASE)
    kept, at = [], 0
    while start := begins.search(html, at):
        kept.append(html[at : start.start()])
        stop = ends.search(html, start.end())
        if stop is None:
            return " ".join(kept)
        at = stop.end()
    return " ".join([*kept, html[at:]])


def _texts(mail: Message, kind: str) -> Iterator[str]:
    for part in _parts(mail):
        if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield _decoded(payload[:_LONGEST_PART], part.get_content_charset() or "utf-8")


def _parts(mail: Message) -> Iterator[Message]:
    waiting, seen = [mail], 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting = [*(each for each in inner if isinstance(each, Message)), *waiting]
        else:
            yield part


def _decoded(payload: bytes, charset: str) -> str:
    try:
        text = payload.decode(charset, "replace")
    except LookupError:
        text = payload.decode("utf-8", "replace")
    return text.replace("\x00", "")

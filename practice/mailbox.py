"""The accepted messages on disk, one file each, and how they look to a reader."""

import base64
import re
import secrets
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from pathlib import Path

from practice.private_files import make_private_directory

UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
MESSAGE_ID = re.compile(r"<[^<>\s]+>")
MESSAGE_FILE_ID = re.compile(r"[a-z0-9]{8,64}\Z")


@dataclass(frozen=True)
class Letter:
    """A message to look at: header fields as they stand, decoded text and HTML (None: no such)."""

    subject: str
    header: list[tuple[str, str]]
    text: str | None
    html: str | None
    attachments: list[str]


class Mailbox:
    """Keeps what was accepted, under the id that Gmail answered with."""

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        self._directory = directory

    def keep(self, id: str, content: bytes) -> None:
        """Store a message before its ledger row is written; without that row it does not count."""
        self._path(id).write_bytes(content)

    def source(self, id: str) -> bytes:
        """The message as filed. Raises FileNotFoundError."""
        return self._path(id).read_bytes()

    def source_or_nothing(self, id: str) -> bytes:
        """The message as filed; one whose file was taken away is empty."""
        try:
            return self.source(id)
        except FileNotFoundError:
            return b""

    def subject(self, id: str) -> str:
        """The decoded subject; a message whose file was taken away has none."""
        return self.fields(id, "Subject")["Subject"]

    def fields(self, id: str, *names: str) -> dict[str, str]:
        """Decoded header fields, empty where there are none; only the header is read."""
        try:
            with self._path(id).open("rb") as file:
                header = _parse(file.read(65_536).partition(b"\r\n\r\n")[0])
        except FileNotFoundError:
            return dict.fromkeys(names, "")
        return {name: _text(header.get(name, "")) for name in names}

    def has_header(self, id: str, name: str, value: str) -> bool:
        """Whether a field contains the value, for a search; one of no value is there at all."""
        fields = header_of(self.source_or_nothing(id)).get_all(name, [])
        return any(value.casefold() in _decoded(field).casefold() for field in fields)

    def has_text(self, id: str, value: str, with_header: bool) -> bool:
        """Whether the message as it went over the wire contains the value, for a search."""
        header, _, body = self.source_or_nothing(id).partition(b"\r\n\r\n")
        text = header + body if with_header else body
        return value.casefold() in text.decode("utf-8", "replace").casefold()

    def letter(self, id: str) -> Letter:
        """The message taken apart for reading. Raises FileNotFoundError."""
        message = _parse(self.source(id))
        return Letter(
            subject=_text(message.get("Subject", "")),
            header=[(name, _text(value)) for name, value in message.items()],
            text=_body(message, "plain"),
            html=_with_pictures(message, _body(message, "html")),
            attachments=[
                _text(part.get_filename() or part.get_content_type())
                for part in message.iter_attachments()
            ]
            if message.is_multipart()
            else [],
        )

    def _path(self, id: str) -> Path:
        if not MESSAGE_FILE_ID.match(id):
            raise FileNotFoundError(id)
        return self._directory / f"{id}.eml"


def new_id(kind: str) -> str:
    """An id under which a message can be kept; ``kind`` is two letters that tell where from."""
    return f"{secrets.token_hex(8)}{kind}"


def header_of(content: bytes) -> Message:
    """The header alone, read without its body, its fields as they stand."""
    header = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return message_from_bytes(header, policy=policy.compat32)


def message_ids(header: Message, name: str) -> list[str]:
    """The ids in a field like References, in their order; one empty id where there is none."""
    return MESSAGE_ID.findall(str(header.get(name, ""))) or [""]


def _decoded(field: object) -> str:
    try:
        return str(make_header(decode_header(str(field))))
    except (LookupError, ValueError):
        return str(field)


def _parse(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def _with_pictures(message: EmailMessage, html: str | None) -> str | None:
    """The HTML with the pictures that travel beside it (RFC 2392) put into their places."""
    if html is None:
        return None
    for part in message.walk():
        name = _text(part.get("Content-ID", "")).strip().strip("<>")
        content = part.get_payload(decode=True)
        if name and isinstance(content, bytes) and part.get_content_maintype() == "image":
            picture = base64.b64encode(content).decode()
            html = html.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{picture}")
    return html


def _body(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return None
    try:
        return _text(part.get_content())
    except (LookupError, ValueError):
        # A charset that does not exist, or a transfer encoding that is torn: show what there is.
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
        return _text(content)


def _text(value: object) -> str:
    """Text that a page can hold, whatever bytes were sent: encodable, no control characters."""
    return UNSHOWABLE.sub("\ufffd", str(value))

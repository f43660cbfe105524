"""Which encoding a file is in.

UTF-8 proves itself: text in another encoding is hardly ever valid UTF-8, so the whole file is
looked at, not only its beginning. Of the encodings with one byte a letter nothing proves itself;
there the letters that come out are compared with those that names really have, and
charset-normalizer is asked where that says nothing.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

import charset_normalizer

ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9", "iso8859_15", "latin-1"),
    *("koi8_r", "koi8_u", "cp437", "cp850", "cp866", "mac_roman"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp874"),
)
"""What a person may choose from, by Python's names."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASKED = (
    *("cp1251", "cp1253", "cp1255", "cp1256", "koi8_r", "cp1250", "cp1254", "cp1257"),
    *("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "mac_roman", "cp850", "cp866"),
)
_SIGNS = (
    "\u00a0\u20ac\u2018\u2019\u201a\u201c\u201d\u201e\u2013\u2014\u2026\u2022\u00ab\u00bb\u00b4"
)
_SIGNS += "\u00a7\u00b0\u00a9\u00ae\u2122\u00b7\u00bf\u00a1\u00aa\u00ba"
_USUAL = {
    encoding: frozenset(letters + letters.upper() + _SIGNS)
    for encoding, letters in (
        ("cp1252", "\u00e0\u00e1\u00e2\u00e3\u00e4\u00e5\u00e6\u00e7\u00e8\u00e9\u00ea\u00eb\u00ec"
         "\u00ed\u00ee\u00ef\u00f1\u00f2\u00f3\u00f4\u00f5\u00f6\u00f8\u00f9\u00fa\u00fb\u00fc"
         "\u00df\u0153\u00f0\u00fe"),
        ("cp1254", "\u00e7\u011f\u0131\u00f6\u015f\u00fc\u0130\u00e2\u00ee\u00fb"),
        ("cp1250", "\u0105\u0107\u0119\u0142\u0144\u00f3\u015b\u017a\u017c\u00e1\u010d\u010f\u00e9"
         "\u011b\u00ed\u0148\u0159\u0161\u0165\u00fa\u016f\u00fd\u017e\u00f6\u0151\u00fc\u0171"
         "\u013a\u013e\u0155\u00f4\u00e4\u0111\u0103\u00e2\u00ee\u015f\u0163"),
    )
}  # fmt: skip
"""The letters that names and towns use, where Latin script is written; the likeliest first."""

_CHUNK = 1 << 16
_SAMPLE = 1 << 16
_FEWEST_BYTES = 6
"""So many bytes at least must speak for a script that is not Latin; fewer are damage."""

_NUL_SHARE = 0.3


def guess_encoding(file: BinaryIO) -> str:
    """The encoding of the whole file, one of ENCODINGS. Never fails; the guess may be wrong."""
    file.seek(0)
    head = file.read(4096)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if head and head[1::2].count(0) > _NUL_SHARE * len(head) / 2 and 0 not in head[:1]:
        return "utf-16-le"
    if head and head[::2].count(0) > _NUL_SHARE * len(head) / 2 and 0 not in head[1:2]:
        return "utf-16-be"
    if _is_utf8(file):
        return "utf-8"
    return _guess_without_unicode(file)


def _is_utf8(file: BinaryIO) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while data := file.read(_CHUNK):
            decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess_without_unicode(file: BinaryIO) -> str:
    sample = bytearray()
    valid = invalid = 0
    for line in _lines_beyond_ascii(file):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            invalid += 1
            if len(sample) < _SAMPLE:
                sample += line + b"\n"
        else:
            valid += 1
    # Damaged rows of an UTF-8 file are better reported than read as something that they are not.
    if valid * 10 >= invalid:
        return "utf-8"
    return _latin(bytes(sample)) or _asked(bytes(sample)) or "utf-8"


def _lines_beyond_ascii(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    pending = b""
    while data := file.read(_CHUNK):
        lines = re.split(rb"[\r\n]", pending + data)
        pending = lines.pop()[-_CHUNK:]
        yield from (line for line in lines if not line.isascii())
    if not pending.isascii():
        yield pending


def _latin(sample: bytes) -> str | None:
    """The encoding under which the most letters are usual ones, if it is nearly all of them."""
    share = {encoding: _share_of_usual(sample, encoding) for encoding in _USUAL}
    best = max(share, key=share.__getitem__)
    return best if share[best] >= 0.8 else None


def _share_of_usual(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors="replace")
    seen = usual = 0
    for at, letter in enumerate(text):
        if letter.isascii():
            continue
        seen += 1
        if letter in _SIGNS:
            usual += 1
        elif letter in _USUAL[encoding]:
            # In Latin script most letters are plain; a word without any is of another script.
            neighbours = text[max(at - 2, 0) : at] + text[at + 1 : at + 3]
            usual += any(other.isascii() and other.isalpha() for other in neighbours)
    return usual / seen if seen else 0.0


def _asked(sample: bytes) -> str | None:
    if sum(byte >= 0x80 for byte in sample) < _FEWEST_BYTES:
        return None
    best = charset_normalizer.from_bytes(
        sample, cp_isolation=list(_ASKED), threshold=0.15, enable_fallback=False
    ).best()
    return best.encoding if best is not None else None

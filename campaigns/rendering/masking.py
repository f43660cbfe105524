"""Carries Liquid through HTML tools that would tear it apart.

Each piece of Liquid becomes one word, which HTML takes for text wherever it stands, and is put
back afterwards. The words are made of a secret that is drawn for each template, so nobody can
write one that would be taken for a piece.
"""

import re
import secrets
from collections.abc import Iterator

from campaigns.rendering.pieces import Kind, Piece, cut


class Mask:
    """The Liquid of one template.

    `text` is the template with each piece of Liquid as a word. The words hold an underscore, which
    no scheme of an address does, so that a sanitiser takes an address that begins with one for
    relative and leaves the judgement to `urls`.
    """

    def __init__(self, source: str) -> None:
        self.marker = f"lq_{secrets.token_hex(12)}_"
        self._pieces: list[Piece] = []
        self.is_closed = True
        self.text = "".join(self._masked(source))
        self.word = re.compile(rf"{self.marker}([0-9]+)_")

    def _masked(self, source: str) -> Iterator[str]:
        for piece in cut(source):
            if piece.is_liquid:
                yield f"{self.marker}{len(self._pieces)}_"
                self._pieces.append(piece)
            else:
                self.is_closed = self.is_closed and piece.kind is not Kind.UNCLOSED
                yield piece.text

    def is_in(self, text: str) -> bool:
        return self.marker in text

    def pieces_in(self, text: str) -> list[Piece]:
        """The Liquid of a masked text, in order."""
        return [self._pieces[int(number)] for number in self.word.findall(text)]

    def unmask(self, text: str) -> str:
        return self.word.sub(lambda word: self._pieces[int(word.group(1))].text, text)

"""How far this database has come: what tells it from an older copy of itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Generation(models.Model):
    """One row, of the whole instance. Written by `accounts.generation`.

    `number` grows by one with every message that is about to be given its end. `copied_at`: where
    the database is a copy that messages left after, a moment before the first of those.
    """

    number = models.BigIntegerField(default=0)
    copied_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")

    def __str__(self) -> str:
        return str(self.number)

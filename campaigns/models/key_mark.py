"""Which keys this database was made with: those that are never changed leave a mark in it."""

from django.db import models


class KeyMark(models.Model):
    """One row for each of `campaigns.lasting_keys.NAMES`. The key cannot be told from its mark."""

    name = models.CharField(max_length=40, unique=True)
    mark = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name

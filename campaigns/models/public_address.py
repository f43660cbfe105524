"""Whether the instance was found reachable under its PUBLIC_URL."""

from django.db import models


class PublicAddress(models.Model):
    """One row for the whole instance. `why_not` is empty where it was reached."""

    url = models.CharField(max_length=500, unique=True)
    tried_at = models.DateTimeField()
    reached_at = models.DateTimeField(null=True)
    why_not = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.url

"""Backup, restore, and what becomes of what is old."""

"""What stops a migration: one sentence for the person who runs it, without any password in it."""

from __future__ import annotations


class MigrationError(Exception):
    """The migration cannot go on; the message says why, and what to do."""

"""Leaving PostgreSQL: inspect, export, transform, import, verify, and the way back (docs/migrate.md)."""

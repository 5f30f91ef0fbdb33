"""PostgreSQL as Django drives it, with a pool that does not ask the server before every piece of work."""

"""Running: plan, order, execute, journal. Everything else is derived from the journal."""

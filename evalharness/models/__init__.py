"""Models that others made, as pinned facts: where from, which bytes, what goes in and what comes out."""

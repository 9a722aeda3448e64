"""Pure judgements: one short file per metric, each a function of cell, observation and reference."""

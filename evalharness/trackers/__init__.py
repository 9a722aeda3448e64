"""Where people already look at their trainings: adapters that are told of every judged subject."""

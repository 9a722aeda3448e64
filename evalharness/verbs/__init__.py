"""The verbs of the command line, one file each: `HELP`, its flags in `add`, and what it does in `do`."""

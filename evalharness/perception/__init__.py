"""What models see: the protocol in base.py, one file per thing that is looked for. Only here are pixels judged."""

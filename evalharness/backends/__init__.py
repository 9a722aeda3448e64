"""Image makers: the protocol in base.py, one file per maker."""

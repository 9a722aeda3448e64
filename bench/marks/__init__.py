"""Pictures with lettering on them: what the network for text and watermarks learns from."""

"""What a DINO sees: pictures as numbers that can be compared with each other, by transformers."""

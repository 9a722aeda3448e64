"""What a CLIP sees: pictures and texts as numbers that can be compared, by open_clip."""

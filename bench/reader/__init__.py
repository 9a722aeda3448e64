"""The world that the part reader learns from: faces drawn in many styles, with their truth."""

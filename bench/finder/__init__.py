"""The world that the face finder learns from: whole pictures with heads or without, and where faces are."""

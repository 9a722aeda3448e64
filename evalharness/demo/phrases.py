"""The words that captions use for each word of a look: tags with synonyms, and the phrases of published prompts."""

from collections.abc import Mapping

ARCHETYPE_TAGS: Mapping[str, tuple[str, ...]] = {
    "soft": ("soft", "rounded eyes"),
    "stoic": ("stoic", "narrow eyes"),
    "energetic": ("energetic", "wide eyes"),
    "melancholic": ("melancholic", "drooping eyelids"),
}
EMOTION_TAGS: Mapping[str, tuple[str, ...]] = {
    "neutral": ("neutral", "neutral expression"),
    "happy": ("happy", "smile", "happy, smile"),
    "sad": ("sad", "frown", "sad, frown"),
    "angry": ("angry", "angry, furrowed brows", "furrowed brows"),
    "surprised": ("surprised", "surprised, open mouth", "open mouth, raised brows"),
}

# Archetypes and emotions as the published harmony experiment words them (surprised is ours, in the same manner).
HARMONY_ARCHETYPES: Mapping[str, str] = {
    "soft": "gentle anime character, rounded eyes, relaxed facial tension",
    "stoic": "cool anime character, narrow eyes, restrained expression",
    "energetic": "expressive anime character, wide eyes, dynamic face",
    "melancholic": "sad anime character, drooping eyelids, subtle tension",
}
HARMONY_EMOTIONS: Mapping[str, str] = {
    "neutral": "emotionally neutral, balanced facial expression",
    "happy": "soft smile, relaxed eyes, gentle eyebrows",
    "sad": "lowered gaze, softened mouth, subtle sadness",
    "angry": "tight mouth, tense eyes, controlled anger",
    "surprised": "raised eyebrows, small open mouth, sudden surprise",
}
HARMONY_ENDING = (
    "anime style, clean line art, emotionally unified face, balanced eyes mouth and eyebrows, no exaggerated expression"
)

HAIRSTYLE_TAGS: Mapping[str, tuple[str, ...]] = {
    "down": ("hair down", "long hair, hair down"),
    "twin_tails": ("twin tails", "twintails"),
    "side_ponytail": ("side ponytail",),
    "ponytail": ("ponytail", "high ponytail"),
}
VIEW_TAGS: Mapping[str, tuple[str, ...]] = {
    "front": ("front view", "from front", "looking at viewer"),
    "behind": ("from behind", "back view"),
    "left_profile": ("left profile", "profile, facing left"),
    "right_profile": ("right profile", "profile, facing right"),
}
VIEW_PROSE: Mapping[str, tuple[str, ...]] = {
    "front": ("is seen from the front", "looks at the viewer"),
    "behind": ("is seen from behind",),
    "left_profile": ("is seen in left profile", "faces the left side of the image"),
    "right_profile": ("is seen in right profile", "faces the right side of the image"),
}
OUTFITS: Mapping[str, str] = {
    "school_uniform": "school uniform",
    "white_dress": "white dress",
    "hoodie": "hoodie",
    "t_shirt": "t-shirt",
    "coat": "coat",
}
BACKGROUND_TAGS: Mapping[str, tuple[str, ...]] = {
    "plain_white": ("white background", "plain white background"),
    "plain_grey": ("grey background", "plain grey background"),
    "sky": ("sky", "blue sky"),
    "classroom": ("classroom", "in a classroom"),
    "park": ("park", "in a park"),
    "night_city": ("night city", "city at night"),
    "sunset": ("sunset", "at sunset"),
}
BACKGROUND_PROSE: Mapping[str, str] = {
    "plain_white": "The background is plain white.",
    "plain_grey": "The background is plain grey.",
    "sky": "Behind her is the blue sky.",
    "classroom": "She is in a classroom.",
    "park": "She is in a park.",
    "night_city": "Behind her is a city at night.",
    "sunset": "Behind her is a sunset.",
}
LIGHT_TAGS: Mapping[str, str] = {
    "soft": "soft light",
    "warm": "warm light",
    "cool": "cool light",
    "backlit": "backlit",
}
FAULT_TAGS: Mapping[str, str] = {
    "animal_ears": "animal ears",
    "rope": "rope",
    "several_panels": "comic panels",
    "several_faces": "several girls",
    "missing_mouth": "no mouth",
    "missing_eyes": "no eyes",
    "blank_eyes": "blank eyes",
    "blur": "blurry",
    "doubled_eyes": "extra eyes",
    "doubled_mouth": "extra mouth",
    "text": "english text",
}

"""A ComfyUI server: its workflow, its names, its queue and its answers; the maker itself is backends/comfyui.py."""

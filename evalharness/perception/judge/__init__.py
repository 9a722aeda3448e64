"""What a vision-language model answers when it is asked what suites expect, as questions of yes or no."""

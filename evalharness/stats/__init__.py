"""Pure statistics on arrays: intervals clustered by prompt, paired differences, the best of several."""

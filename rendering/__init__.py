"""Draws product pictures with exact ground truth: the demo catalogue and catalogues for scale tests."""

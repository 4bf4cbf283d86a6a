"""Recordings of words as pictures of one channel. Needs scipy."""

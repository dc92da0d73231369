"""Carry out runs elsewhere than in the calling process."""

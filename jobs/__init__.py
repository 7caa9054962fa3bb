"""Drivers: one module per stage, the nightly job that runs them, and the command line."""

"""The command line, a client of the API: one file for each command."""

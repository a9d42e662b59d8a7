"""What a fit has found, as one value: its sentences, tables and files."""

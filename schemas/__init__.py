"""What the project promises: table contracts, reasons, palette, taxonomy and settings. Imports nothing of ours."""

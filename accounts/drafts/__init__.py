"""Changes that are written but not shown to readers yet."""

"""An invoice and a credit note as people and programs take them away: HTML, PDF, CSV, and FOCUS rows."""

"""Teams: who is invited into an organization, and to whom it is handed over."""

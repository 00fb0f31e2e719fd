"""Who may call what, how often: usage plans, applications, subscriptions, API keys."""

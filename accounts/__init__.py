"""Who: people, organizations, members and their roles, API tokens, and the audit trail."""

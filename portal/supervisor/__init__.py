"""What `manage.py up` does: starts every process of Gatehouse on one machine and keeps them running."""

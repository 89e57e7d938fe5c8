"""Rules about tasks and workers of Celery."""

"""Rules about endpoints of FastAPI, what any API answers, and its schema."""

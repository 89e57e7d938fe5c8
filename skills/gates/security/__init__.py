"""Rules about secrets, settings, permissions, SQL, HTML and what comes from a request."""

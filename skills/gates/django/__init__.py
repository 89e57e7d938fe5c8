"""Rules about layers and queries of Django and REST framework, and what they know of rows."""

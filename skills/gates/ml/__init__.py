"""Rules about training, promotion and recommendation."""

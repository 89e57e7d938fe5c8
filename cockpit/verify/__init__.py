"""The verification gate at work: it runs the project's own checks, check-only, and says what they answered."""

"""How files are read, walked and named: one parse and one walk for all rules."""

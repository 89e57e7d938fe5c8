"""The parts of the app: one file for what the keys do in one area, each a mixin over `Deeds`; `app.py` joins them."""

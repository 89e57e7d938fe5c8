"""Skills and slash commands: what cockpit brings, what is installed, how it is used, and putting it in place."""

"""How fast this machine trains and decodes, measured on it."""

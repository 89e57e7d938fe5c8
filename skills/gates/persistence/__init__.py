"""Rules about queries, transactions, sessions and connections, as an audit asks them."""

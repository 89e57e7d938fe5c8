"""What code means, for rules of every kind: bindings, values, loops, queries, transactions, when it runs."""

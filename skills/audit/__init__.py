"""The persistence audit: four workers over the audit rules, what their findings weigh, and what the report says."""

"""The verification gate: twelve phases, seven guardrails, the predeploy list (Python backend orchestrator)."""

"""The workbench: processes with a state that survives a restart and can be read by people."""

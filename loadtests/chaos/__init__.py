"""Faults under load: processes are killed or frozen while patients scan; the gateway's journal is then checked."""

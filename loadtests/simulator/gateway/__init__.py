"""The national gateway, played strictly: delivers shares, judges answers, keeps a ledger, misbehaves on demand."""

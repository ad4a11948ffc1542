"""OPD queues in Redis or Valkey: the only room that speaks to the store.

``desk.OpdDesk`` is what may be done, ``models`` the words, ``registry.Registry`` what administrators set,
``outbox.Outbox`` what is owed to the gateway, ``feed.Feed`` what changed. Sealed things pass through; nothing here
can open them.
"""

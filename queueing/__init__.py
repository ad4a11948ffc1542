"""OPD queues in Redis or Valkey: the only room that speaks to the store.

``desk.OpdDesk`` is what may be done, ``models`` the words, ``registry.Registry`` what administrators set,
``outbox.Outbox`` the pending replies to the gateway, ``feed.Feed`` the change hints for screens, ``event_log.EventLog``
the events for every other consumer. Sealed envelopes pass through; nothing here can open them.
"""

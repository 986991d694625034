"""Pages for readers, rendered once for each publication and then answered outside Django’s handler.

A view says by `kept` that what it answers depends on nothing but the host, the path and the parameters it names.
`application` answers from a store and renders what is missing; `content` sees every write to what readers see and
begins a new generation when it is committed, by which all that was kept before is out of reach. `disk` and `redis` are
stores; docs/page-cache.md tells the whole of it.
"""

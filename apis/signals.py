"""What this room announces. Receivers run inside the writer's transaction.

A signal is sent by the verb that made the change, once, after its writes; `nodes` turns it into entries.
"""

from django.dispatch import Signal

# stage_ids: list[str] of stages whose entry must be made anew (or removed, if the stage is gone)
stages_changed = Signal()
# backend_ids: list[str] of backends that were made or changed
backends_changed = Signal()
# addresses: list[str] of "host|base_path" pairs that were added, moved or removed ('' host = any host)
mappings_changed = Signal()
# hosts: list[str] of domains that were made, changed or deleted
domains_changed = Signal()
# api: Api, whose region is about to change; who keeps it raises Refused
region_changing = Signal()

"""mappings: translate. What a lead is, and how each platform spells it. Pure: no I/O, no clock."""

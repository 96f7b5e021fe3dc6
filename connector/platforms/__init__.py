"""One module per platform behind one protocol. Vendor packages are imported only here."""

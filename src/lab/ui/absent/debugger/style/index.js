// No style sheets.

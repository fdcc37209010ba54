"""Charts of results, made with Altair (Vega-Lite): one question a file. Needs the extra `plot`."""

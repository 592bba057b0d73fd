"""The site: what turns the pages of docs/, docstrings and notebooks into what `make site` builds.

Nothing here is shipped. The pages stay readable where they are; the hooks add what a site needs beside them.
"""

"""The search of the site: an index of what readers see, and the page that asks it. See docs/search.md."""

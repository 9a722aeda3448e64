"""The report: rows for the page in Python, the page itself in reports/."""

"""`make demo`: one campaign plays through a week on the dev site, and what the mail server got is compared with the ledger.

Runs in the environment of the site, like `dev.inside`. `script.py` is the story; start reading there.
"""

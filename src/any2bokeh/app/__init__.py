"""The studio: choose the focus by clicking, in a browser.

What a user does lies in plain classes (``session.py`` and what it is made of) that know nothing of a page.
``page.py`` lays the page out, ``routes.py`` serves pictures and files, ``guard.py`` refuses everything else,
``server.py`` starts it.
"""

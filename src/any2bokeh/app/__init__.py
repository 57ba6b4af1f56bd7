"""The studio: choose the focus by clicking, in a browser.

What a user does lies in plain classes (``session.py`` and what it is made of) that know nothing of HTTP.
``commands.py`` says what a page can ask for and ``snapshot.py`` what it is told; ``api.py`` carries both, ``events.py``
tells what changes, ``guard.py`` is the door, ``server.py`` starts it. The page itself is in ``static/``, one noun to a
module.
"""

"""Codes and sentences of the rooms below as people read them, in the language of the page. Knows no screen."""

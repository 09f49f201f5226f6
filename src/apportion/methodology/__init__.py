"""The policy in words that people read who know no YAML, and the difference of two policies in words.

Takes a policy, the organization and, where it is set, how currencies are exchanged; gives one document (`compiled`),
rendered as HTML, Markdown or PDF, and the changes from one policy to another (`differences`). Never looks at charges:
what it says holds for every month, and the same policy gives the same bytes.
"""

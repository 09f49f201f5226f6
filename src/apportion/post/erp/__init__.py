"""Journals into ledgers that answer: pushed once, read back, reversed; and files where a ledger takes only files.

Takes the canonical journal, a target and a book of pushes; gives what the ledger then holds, under its own numbers.
Every target is a module beside this one that speaks its ledger's language and nothing else: the rules, such as "the
key is stored before anything is sent", are in `push` alone. Never says "posted" before the ledger has shown it, and
never changes an amount.
"""

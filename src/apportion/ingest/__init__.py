"""From delivered bytes to checked charges, once: find the files, recognise, translate, check, load.

Takes files and folders as providers deliver them, gives a delivery in the workspace and a receipt. Reads every file
once, keeps its bytes as they came, and loads all of a delivery or nothing. Never decides who pays.
"""

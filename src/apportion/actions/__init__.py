"""Every act of a person, a program or a timer: one function = one permission, one transaction, one audit entry.

Takes an `Actor` and plain values, checks what the actor may do, asks the pure rules (`review`, `close`), saves through
`records`, and writes the entry. Web, API, command line and timers all come through here and never write the books
themselves. Nothing is sent from here: messages are written beside the act and sent after it.

By what they are about: `close`, `review`, `post`, `policy`, `access` and `notices`. Beside them stand the frame of an
act (`acting`), the states of a document (`moving`), long work (`working`) and what happens by itself (`timers`).
"""

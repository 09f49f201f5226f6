"""Who is told of what: messages, mails and webhooks, written in the transaction of an act and sent after it."""

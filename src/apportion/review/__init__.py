"""What becomes of a document after it is made: issue, review, posting; who may do what; disputes and their settlement.

Takes and gives plain values; knows neither a database nor a request. `records` and `actions` hold the documents and
drive them through the one table in `states`.
"""

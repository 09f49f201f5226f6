"""What is around every page: rights, refusals, headers, templates, what somebody typed and what they are told after."""

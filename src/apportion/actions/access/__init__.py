"""Who there is, what they may do, and how they sign in; and the tree that rights follow."""

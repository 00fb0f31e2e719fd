"""What a fresh installation starts with: its first administrator and, unless it starts empty, a demo.

Everything is made through the verbs that people use, and nothing is made twice, so it runs at each start.
"""

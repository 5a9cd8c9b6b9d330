"""What a script sends to people and to hooks: the first failure of its run, and how the run ended.

Owns: what is wished for, the words, and sending them so that it neither fails nor holds up the script. May import the
rooms beside it that stand below: submit, live, show, code and follow.
"""

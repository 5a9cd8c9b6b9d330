"""What stands in the places of tables: cells, their digits, their marks, and tables with one of them in each place.

Rows of any table are `Valued` here. May import the columns and the statistics.
"""

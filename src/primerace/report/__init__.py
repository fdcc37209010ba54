"""What turns results into something to look at. Nothing here times anything or starts a worker."""

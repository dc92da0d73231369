"""The Learn page's parts: lessons as data, the activities they start, the steps on top, progress per browser."""

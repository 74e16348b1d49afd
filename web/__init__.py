"""Health, metrics and live pictures over HTTP, for people, monitoring and supervisors."""

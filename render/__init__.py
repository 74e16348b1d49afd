"""Pictures for people: blur, overlay, and the short delay that makes both better."""

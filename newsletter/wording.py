"""The words that people consent to. They are shown and kept with the consent, so they stand in one place."""

from veltrix.publication import NEWSLETTER, PUBLISHER

PROMISES = (
    "Free, once a week.",
    "No open or click tracking.",
    "Leave at any time.",
)
REQUEST = f"By pressing this button I agree that {PUBLISHER} may send me {NEWSLETTER} by e-mail."
CONFIRMATION = f"Yes, send me {NEWSLETTER}"

# As it is kept: the sentence beside the button, and the promises that qualify it.
REQUEST_RECORD = " ".join([REQUEST, *PROMISES])

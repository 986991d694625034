from .blocks import NewsletterSignUp
from .deliveries import Delivery, MailReport, Sender, SendingRate
from .editions import Edition, EditionContent, EditionPart, Exclusion, NotPossibleError, Progress
from .sign_ups import SignUp
from .subscribers import AppendOnlyError, ConsentEvent, Subscriber
from .suppression import Suppression

__all__ = [
    "AppendOnlyError",
    "ConsentEvent",
    "Delivery",
    "Edition",
    "EditionContent",
    "EditionPart",
    "Exclusion",
    "MailReport",
    "NewsletterSignUp",
    "NotPossibleError",
    "Progress",
    "Sender",
    "SendingRate",
    "SignUp",
    "Subscriber",
    "Suppression",
]

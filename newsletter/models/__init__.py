from .blocks import NewsletterSignUp
from .subscribers import AppendOnlyError, ConsentEvent, SignUp, Subscriber
from .suppression import Suppression

__all__ = ["AppendOnlyError", "ConsentEvent", "NewsletterSignUp", "SignUp", "Subscriber", "Suppression"]

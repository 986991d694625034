from datetime import timedelta
from typing import Any, Self

from django import forms
from django.core import signing as django_signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import get_random_string

from . import addresses, signing, tasks, wording
from .models import SignUp

# Nobody types an address faster; programs do.
FILL_TIME = timedelta(seconds=2)

DISPOSABLE = "This is a throw-away address. Use one that you will still read next week."
TOO_FAST = "Please press the button once more. It helps us to keep programs out."
TOO_OLD = "This page had been open for a long time. Please press the button once more."


class SignUpForm(forms.Form):
    template_name = "newsletter/_sign_up_form.html"
    request_wording = wording.REQUEST
    promises = wording.PROMISES

    email = forms.EmailField(
        label="Your e-mail address",
        max_length=addresses.MAX_LENGTH,
        error_messages={"required": addresses.INVALID, "invalid": addresses.INVALID},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
    )
    # Hidden by the style sheet: only programs that fill in whatever they find send it.
    message = forms.CharField(
        label="Leave this field empty",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # A page may hold the form twice, and a cached one cannot count: a random part keeps its ids apart.
        kwargs.setdefault("auto_id", f"sign-up-{get_random_string(6)}-%s")
        super().__init__(*args, **kwargs)

    @classmethod
    def standing_at(cls, path: str) -> Self:
        """An empty form that remembers the page it stands on and the moment of rendering."""
        return cls(initial={"stamp": signing.stamp(path)})

    @property
    def is_trapped(self) -> bool:
        return bool(self.data.get("message"))

    def clean_email(self) -> str:
        email = addresses.canonical(self.cleaned_data["email"])
        if addresses.is_disposable(email):
            raise forms.ValidationError(DISPOSABLE, code="disposable")
        return email

    def clean(self) -> dict[str, Any]:
        stamp = self.cleaned_data.get("stamp", "")
        try:
            self.cleaned_data["form"] = signing.read_stamp(stamp)
        except django_signing.BadSignature:
            self._ask_again(TOO_OLD)
        else:
            if signing.is_younger(stamp, FILL_TIME):
                self.add_error(None, forms.ValidationError(TOO_FAST, code="too_fast"))
        return self.cleaned_data

    def _ask_again(self, message: str) -> None:
        """Refuse with a fresh stamp in the form, so that pressing the button again succeeds."""
        self.data = {**dict(self.data.items()), "stamp": signing.stamp(reverse("newsletter:index"))}
        self.add_error(None, forms.ValidationError(message, code="too_old"))

    def save(self, network_digest: str) -> SignUp:
        """Keep the request and wake the task that acts on it: what it does depends on the address, this does not.

        The queue is a table of the same database: in one transaction no crash can part the request from its task.
        """
        with transaction.atomic():
            sign_up = SignUp.objects.create(
                email=self.cleaned_data["email"],
                form=self.cleaned_data["form"],
                wording=wording.REQUEST_RECORD,
                network_digest=network_digest,
            )
            tasks.handle_sign_up.enqueue(sign_up.pk)
        return sign_up

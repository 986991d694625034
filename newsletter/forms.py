from datetime import timedelta
from typing import Any, Self

from django import forms
from django.core import signing as django_signing
from django.db import transaction
from django.urls import reverse

from . import addresses, signing, tasks, wording
from .models import SignUp

# Nobody types an address faster; programs do. When the form of a kept page was opened is not known; whoever is asked to
# press the button once more has one that tells.
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

    @classmethod
    def standing_at(cls, path: str, name: str = "sign-up") -> Self:
        """An empty form that remembers its page and the week; ids begin with its name, which no other on the page has.

        Whoever renders the page this week gets the same bytes.
        """
        return cls(initial={"stamp": signing.stamp_of_the_week(path)}, auto_id=f"{name}-%s")

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

"""The form of a picture: it is taken in as soon as it is chosen, so that no error elsewhere in the form loses it."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.datastructures import MultiValueDict

from articles.models import Image
from articles.pictures import NAME, renew, size_of, take_in
from articles.renditions import Renditions

from .row_forms import RowForm, RowFormSet

GONE = "This picture is no longer kept here. Choose it again."


class PictureInput(forms.FileInput):
    """A file to choose, beside the name of the picture that is chosen already, which the form sends along."""

    template_name = "admin/articles/picture_input.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return super().value_from_datadict(data, files, name) or data.get(f"{name}-kept", "")

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return super().value_omitted_from_data(data, files, name) and f"{name}-kept" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        kept = value if isinstance(value, str) and NAME.fullmatch(value) else ""
        return {**context, "kept": kept, "shown": Renditions.of(kept).small_url if kept else ""}


class PictureBoundField(forms.BoundField):
    def value(self) -> Any:
        """The picture that was taken in of this form, whatever else is wrong with it, else the one before."""
        if not self.form.is_bound:
            return super().value()
        taken = getattr(self.form, "cleaned_data", {}).get(self.name)
        return taken or self.form.data.get(f"{self.html_name}-kept") or self.initial


class PictureField(forms.FileField):
    """Cleans to the name of a picture that is kept; an upload is taken in by this."""

    widget = PictureInput
    bound_field_class = PictureBoundField

    def clean(self, data: Any, initial: Any = None) -> Any:
        if not data and not initial:
            raise ValidationError("Choose a picture.", code="required")
        if not data or data == initial:
            return initial
        if isinstance(data, str):
            if not renew(data):
                raise ValidationError(GONE)
            return data
        return take_in(data)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data) and data != initial


class ImageForm(RowForm):
    file = PictureField(
        label="Picture",
        help_text="JPEG, PNG, WebP or AVIF, at most 8 MB and 40 million pixels. Readers are sent copies of it in the "
        "sizes that they need, which do not say where or with what it was taken.",
    )

    class Meta:
        model = Image
        fields = ["file", "focus_x", "focus_y", "alt", "caption", "credit", "region", "ordering"]
        help_texts = {
            "focus_x": "What stays in sight where the picture is cropped, as on a card: click on it in the picture, or "
            "move the ring with the arrow keys."
        }

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if "file" in self.changed_data and (name := self.cleaned_data.get("file")):
            with suppress(FileNotFoundError):
                self.instance.width, self.instance.height = size_of(name)
        return data


class PictureFormSet(RowFormSet):
    """The pictures of an article. Where no script takes them in one by one, only a few come with the form."""

    # Whoever waits for them keeps others waiting.
    MOST_AT_ONCE = 10

    def __init__(self, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        self.are_too_many = len(files or ()) > self.MOST_AT_ONCE
        super().__init__(data, MultiValueDict() if self.are_too_many else files, **kwargs)

    def clean(self) -> None:
        super().clean()
        if self.are_too_many:
            raise ValidationError(f"Choose at most {self.MOST_AT_ONCE} pictures, save, and choose the next.")


def picture_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Take in a picture that has just been chosen, and answer with its name and where to see it."""
    if not (model_admin.has_change_permission(request) or model_admin.has_add_permission(request)):
        raise PermissionDenied
    file = request.FILES.get("picture")
    if file is None:
        return JsonResponse({"error": "Choose a picture."}, status=400)
    try:
        name = take_in(file)
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=400)
    return JsonResponse({"name": name, "url": Renditions.of(name).small_url})

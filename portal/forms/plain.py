"""Forms that the admin console has, with plain widgets: the website's own styles do the rest."""

from django import forms
from django.forms.widgets import Widget

# the first that fits; a ModelChoiceField is a ChoiceField
_WIDGETS = (
    (forms.MultipleChoiceField, forms.CheckboxSelectMultiple),
    (forms.ChoiceField, forms.Select),
    (forms.BooleanField, forms.CheckboxInput),
    (forms.FileField, forms.FileInput),
)


class PlainWidgets(forms.Form):
    """Mixed in before an admin form: each field gets the plain widget of its kind."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for field in self.fields.values():
            choices = getattr(field, "choices", None)
            field.widget = _plain(field)
            field.widget.is_required = field.required
            if isinstance(field, forms.ModelChoiceField):
                # not its choices: they would stay those of this query when the form sets another
                field.queryset = field.queryset
            elif choices is not None:
                field.choices = choices  # type: ignore[attr-defined]


def _plain(field: forms.Field) -> Widget:
    if isinstance(field, forms.CharField) and isinstance(field.widget, forms.Textarea):
        return forms.Textarea(attrs={"rows": field.widget.attrs.get("rows", 3)})
    if isinstance(field, forms.FloatField):  # it is an IntegerField, too
        return forms.TextInput(attrs={"inputmode": "decimal"})
    if isinstance(field, forms.IntegerField):
        return forms.NumberInput(attrs=field.widget_attrs(forms.NumberInput()))
    return next((widget() for kind, widget in _WIDGETS if isinstance(field, kind)), forms.TextInput())

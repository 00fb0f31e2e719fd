"""allauth's forms for passkeys, in our words."""

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm, SignupWebAuthnForm

NAME_HINT = "To tell it from others, such as Laptop or Phone."


class AddPasskeyForm(AddWebAuthnForm):
    """A passkey unless she wants a mere second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = NAME_HINT
        if "passwordless" in self.fields:
            field = self.fields["passwordless"]
            field.label = "Sign in with it alone"
            field.help_text = "Without this it is a second step after your password."
            field.initial = True


class FirstPasskeyForm(SignupWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = NAME_HINT

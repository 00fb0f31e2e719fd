"""PDF of invoices and credit notes: tagged for screen readers (PDF/UA-1), rendered by WeasyPrint."""

from django.template.loader import render_to_string

from billing.documents.content import Document

# Laying out more rows takes long; longer invoices show the sums of their groups and point to the CSV file.
MAX_ROWS = 500


def pdf(document: Document, *, logo: str = "") -> bytes:
    """Return the document as PDF: about 0.5 s of one core, and 10 ms more for each row.

    `logo` is a `data:` URI (`BillingProfile.logo`). Nothing else is loaded from anywhere: text of users can never
    make us fetch an address.
    """
    # Pango and its fonts are loaded when the first PDF is made: most processes never make one
    from weasyprint import HTML  # noqa: PLC0415 -- slow import of native libraries
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 -- the same

    folded = document.rows > MAX_ROWS
    page = render_to_string("documents/pdf.html", {"document": document, "folded": folded, "logo": logo})
    html = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=["data"]))
    rendered: bytes = html.write_pdf(pdf_variant="pdf/ua-1")
    return rendered

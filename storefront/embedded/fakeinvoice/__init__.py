"""A stand-in for a provider of electronic invoices, for development and tests: it stamps, refuses, forgets and is late.

No tax office hears of anything. It is made after what such providers have in common, not after one of them: a key for
each wish, a number of its own, an XML and a PDF, a code for each rejection, cancelling as a question.
"""

from storefront.embedded.fakeinvoice.app import Invoicing, create_fakeinvoice, invoicing_of, running

__all__ = ["Invoicing", "create_fakeinvoice", "invoicing_of", "running"]

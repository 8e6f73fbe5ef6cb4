"""The person's side in a browser: pages that the node renders, over the same operations as the command line.

The one way through, of every request::

    routes    which function of ``pages`` answers a path, and whether it is open to all or for the person
    door      what comes before: our name, our form, this session; and after: an error becomes a page
    visit     who it is and what they sent; ``visit.does(operation)`` carries out, ``visit.page(template)`` answers
    pages     one function for each path: it does operations of ``api.owner`` and gathers what the page shows
    page      from a template and its texts (``texts``, ``words``) to a response with its headers

What a page shows that takes thought stands with its subject, apart from requests and templates: ``consent`` (a
request, card and second look), ``relationship`` (a grant), ``ledger``, ``record``, ``files``. None of them imports
``pages``, and what every request passes imports none of them.

Spec: specs/node/dashboard.md
"""

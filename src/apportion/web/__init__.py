"""The web application: one module per screen, server-rendered, over the same acts as the API and the command line.

Takes requests, calls `actions` to change anything and `records.reach` to read anything, gives pages. Never writes the
books, and never asks a model for rows that somebody may not see.

What screens share
    `frame` is around every page (rights, refusals, templates, what was typed), `words` says codes and figures in the
    language of the page, `drawing` makes pictures, `door` stands before all of it. The rest are screens, and the
    modules that one screen needs stand beside it under its name (`close_state`, `document_view`, `journal_presses` …).

How a screen is built
    `web/<screen>.py` holds views and, at its end, `urlpatterns`; its name stands in `urls.SCREENS`. Each view is
    decorated with `frame.page.page(Reach.…, Permission.…, methods="GET POST")`, without which tests fail. Arguments in
    the address are called by what they are (`document`, `line`, `person` …). A view reads through `records.reach` or
    `rights.within`, changes through one act of `actions`, and answers a POST with a redirect and a message.
    What an act refuses may rise: `frame.middleware.Refusals` makes a page of it. A form whose input is refused is shown
    again with what was typed: ``form.add_error(field, error.sentence)``.

    `templates/<screen>/….html` extends ``base.html`` and fills the blocks `title`, `breadcrumbs`
    (``<ol><li><a href=…>``), `content`, and perhaps `main_class` and `head` (scripts of its own, never inline).
    A page begins with ``<div class="head"><div><h1>…</h1><p>…</p></div><div class="btn-list">…</div></div>``.
    Tables stand in ``<div class="card"><div class="table-responsive" tabindex="0" role="region" aria-label="…">``;
    figures are ``class="number"`` in headers and cells, headers have their `scope`.

    Tags need no ``{% load %}`` (`translate`, `blocktranslate`, `static` neither): ``{{ minor|money:currency }}``,
    `signed_money`, `amount` and `signed_amount` (no currency), ``{{ minor|percent_of:whole }}``, `percent_ppm`,
    `count`, `period_name`, `short_month`, `day`, `instant`, `ago`, `days_left`; ``{% icon "check" %}``,
    ``{% state_badge state %}``, `dispute_badge`, `work_badge`, `charging_badge`, ``{% sparkline values label %}``,
    ``{% bars values labels currency label %}``, ``{% field form.name %}``. Parts to include: ``parts/empty.html``,
    ``parts/pager.html``, ``parts/form_errors.html``, ``parts/confirm.html``, ``parts/person.html``.

    htmx only adds comfort: the page without it reads and acts the same. Small habits of `apportion.js`:
    ``data-choose``, ``data-send``, ``data-copy``. No inline script or style: the Content-Security-Policy forbids them.
"""

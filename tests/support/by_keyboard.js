// What tests/support/by_keyboard.py asks of a page. Evaluates to an object; the page is left as it was but for its focus.
() => {
  const INTERACTIVE = [
    'a[href]', 'area[href]', 'button', 'input:not([type=hidden])', 'select', 'textarea', 'summary', '[tabindex]',
    '[contenteditable=""]', '[contenteditable=true]', 'audio[controls]', 'video[controls]', '[onclick]', '[role=button]',
    '[role=link]', '[role=checkbox]', '[role=radio]', '[role=switch]', '[role=tab]', '[role=menuitem]', '[role=slider]',
    '[role=option]', '[role=textbox]', '[role=combobox]', '[role=spinbutton]', '[role=treeitem]',
  ].join(',');
  const ROVING = '[role=tablist],[role=menu],[role=menubar],[role=radiogroup],[role=listbox],[role=toolbar],[role=grid],[role=tree]';
  const HEARD = Symbol.for('freehold.test.heard');

  // Which elements there are

  const named = (e) => {
    const labels = [...(e.labels ?? [])].map((label) => label.innerText).join(' ');
    const text = e.getAttribute('aria-label') || labels || e.innerText || e.value || e.name || e.id || '';
    const type = e.tagName === 'INPUT' ? `[${e.type}]` : '';
    const role = e.getAttribute('role') ? `[role=${e.getAttribute('role')}]` : '';
    return `${e.tagName.toLowerCase()}${type}${role} "${String(text).trim().replace(/\s+/g, ' ').slice(0, 40)}"`;
  };
  const shown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('[inert]');
  const usable = (e) => shown(e) && !e.matches(':disabled') && !(e.tagName === 'SUMMARY' && !isSummary(e));
  const isSummary = (e) => e.parentElement?.tagName === 'DETAILS' && e === e.parentElement.querySelector(':scope > summary');
  const programmatic = (e) =>
    e.getAttribute('tabindex') === '-1' && (e.closest(ROVING) || !e.matches('a[href],button,input,select,textarea,summary,[role],[onclick]'));
  const pointing = (e) =>
    getComputedStyle(e).cursor === 'pointer' && e.parentElement && getComputedStyle(e.parentElement).cursor !== 'pointer';
  const within = (e) => e.closest(INTERACTIVE) || e.closest('label');
  const pointerOnly = (e) =>
    (e[HEARD] || pointing(e)) && shown(e) && !within(e) && !(e[HEARD] && e.querySelector(INTERACTIVE))
    && !e.matches('html,body,main,form,label');

  const wanted = [...document.querySelectorAll(INTERACTIVE)].filter((e) => usable(e) && !programmatic(e));
  const number = new Map(wanted.map((e, i) => [e, i]));
  const numberOf = (e) => {
    if (!number.has(e)) number.set(e, number.size);
    return number.get(e);
  };

  // How a focus is seen

  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = rgba(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none') return null;
      if (rgba(style.backgroundColor)[3] === 255) return style.backgroundColor;
    }
    return 'Canvas';
  };
  const around = (e) => [e, ...(e.labels ?? []), e.parentElement, e.nextElementSibling, e.previousElementSibling].filter(Boolean);
  const look = (e) => {
    const style = getComputedStyle(e);
    return {
      outline: `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor} ${style.outlineOffset}`,
      drawn: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 && rgba(style.outlineColor)[3] > 0,
      auto: style.outlineStyle === 'auto', colour: style.outlineColor, shadow: style.boxShadow,
    };
  };
  const before = new Map();
  for (const e of wanted) for (const near of around(e)) if (!before.has(near)) before.set(near, look(near));
  const ring = (e) => {
    document.getAnimations().forEach((a) => { try { a.finish(); } catch { /* it never ends */ } });
    let faint = 0;
    for (const near of around(e)) {
      const was = before.get(near), is = look(near);
      if (is.shadow !== 'none' && is.shadow !== was?.shadow) return null;
      if (!is.drawn || is.outline === was?.outline) continue;
      const ground = is.auto ? null : behind(near.parentElement ?? near);
      if (!ground || contrast(is.colour, ground) >= 3) return null;
      faint = contrast(is.colour, ground);
    }
    return faint ? `has a focus ring of contrast ${faint.toFixed(1)}, less than 3` : 'shows no focus: neither outline nor shadow changes';
  };
  const covered = (e) => {
    const boxes = [e, ...(e.labels ?? [])].flatMap((part) => [...part.getClientRects()])
      .map((box) => [Math.max(box.left, 0), Math.max(box.top, 0), Math.min(box.right, innerWidth), Math.min(box.bottom, innerHeight)])
      .filter(([left, top, right, bottom]) => right - left > 2 && bottom - top > 2);
    if (!boxes.length) return 'is nowhere to be seen when it has the focus';
    const mine = (hit) => hit && (e.contains(hit) || hit.contains(e) || [...(e.labels ?? [])].some((label) => label.contains(hit)));
    const seen = boxes.some(([left, top, right, bottom]) => [0.5, 0.1, 0.9].some((part) =>
      mine(document.elementFromPoint(left + (right - left) * part, top + (bottom - top) * part))));
    return seen ? null : 'is covered by something else when it has the focus';
  };
  const keysOf = (e) => {
    const role = e.getAttribute('role');
    if (e.tagName === 'INPUT') {
      if (e.type === 'radio') return e.checked ? [] : ['Space'];
      if (['checkbox', 'file', 'color'].includes(e.type)) return ['Space'];
      return ['submit', 'button', 'reset', 'image'].includes(e.type) ? ['Enter', 'Space'] : [];
    }
    if (e.tagName === 'A' || e.tagName === 'AREA' || role === 'link') return ['Enter'];
    if (['checkbox', 'radio', 'switch'].includes(role)) return ['Space'];
    return e.tagName === 'BUTTON' || e.tagName === 'SUMMARY' || role === 'button' || e.hasAttribute('onclick') ? ['Enter', 'Space'] : [];
  };
  const floats = (e) => {
    for (let at = e; at; at = at.parentElement) if (['fixed', 'sticky'].includes(getComputedStyle(at).position)) return true;
    return false;
  };

  // Clicks are caught before the page hears of them

  let clicked = null;
  const caught = (event) => {
    clicked = event.target;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  addEventListener('click', caught, true);
  addEventListener('submit', caught, true);

  // Where an element had the focus and is gone, Tab goes on from there: here, from the start of the page.

  const start = document.createElement('span');
  start.tabIndex = -1;
  document.body.prepend(start);
  start.focus({preventScroll: true});
  start.remove();

  return {
    heardOnly: () => [...document.querySelectorAll('body *')].filter(pointerOnly).map(named),
    wanted: () => wanted.map((e) => {
      const group = e.tagName === 'INPUT' && e.type === 'radio' && e.name ? `${numberOf(e.form ?? document.body)}/${e.name}` : null;
      return {number: numberOf(e), name: named(e), group};
    }),
    at: () => {
      const e = document.activeElement;
      if (!e || e === document.body || e === document.documentElement) return null;
      const box = e.getBoundingClientRect();
      clicked = null;
      return {
        number: numberOf(e), name: named(e), keys: keysOf(e), faults: [ring(e), covered(e)].filter(Boolean),
        positive: e.tabIndex > 0, floats: floats(e), top: box.top + scrollY, bottom: box.bottom + scrollY,
      };
    },
    wasClicked: () => {
      const e = document.activeElement;
      const was = clicked !== null && (clicked === e || e.contains(clicked));
      clicked = null;
      return was;
    },
    leave: () => {
      removeEventListener('click', caught, true);
      removeEventListener('submit', caught, true);
      document.activeElement?.blur();
    },
  };
}

//! What is asked of a page in a window. Nothing of the page is changed by it, but where a name says so.

/// The page as its user sees it: address, when its document began, whether it is loaded, and its HTML with the state of
/// all controls written into it, invisible texts left out, invisible controls disabled, and each control numbered.
pub(super) const READ: &str = r#"
const all = 'input,button,select,textarea';
const root = document.documentElement;
const seen = it => it.checkVisibility ? it.checkVisibility({ visibilityProperty: true }) : it.getClientRects().length > 0;
const copy = root.cloneNode(true);
const [live, copied] = [root.querySelectorAll('body *'), copy.querySelectorAll('body *')];
const unread = ['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'OPTION', 'OPTGROUP', 'TEXTAREA'];
live.forEach((it, n) => {
  if (copied[n] && !unread.includes(it.tagName) && !seen(it)) {
    for (const child of copied[n].childNodes) { if (child.nodeType === 3) { child.data = ''; } }
  }
});
const controls = copy.querySelectorAll(all);
root.querySelectorAll(all).forEach((it, n) => {
  const to = controls[n];
  if (!to) { return; }
  to.setAttribute('data-devgrant-control', n);
  const box = it.type === 'checkbox' || it.type === 'radio';
  const shown = it.type === 'hidden' || seen(it) || (box && it.labels && [...it.labels].some(seen));
  if (!shown || it.disabled) { to.setAttribute('disabled', ''); }
  if (box) {
    if (it.checked) { to.setAttribute('checked', ''); } else { to.removeAttribute('checked'); }
  } else if (it.tagName === 'INPUT' && it.type !== 'file') {
    if (it.value !== '' || to.hasAttribute('value')) { to.setAttribute('value', it.value); }
  } else if (it.tagName === 'TEXTAREA') {
    to.textContent = it.value;
  } else if (it.tagName === 'SELECT') {
    [...it.options].forEach((option, at) => {
      if (option.selected) { to.options[at].setAttribute('selected', ''); } else { to.options[at].removeAttribute('selected'); }
    });
  }
});
return { url: location.href, born: performance.timeOrigin, state: document.readyState, html: copy.outerHTML };
"#;

/// The control of a number, as [`READ`] counts them.
pub(super) const CONTROL: &str =
    "return document.documentElement.querySelectorAll('input,button,select,textarea')[arguments[0]] || null;";

/// Changes a field that nobody can type into: a hidden one, or the choice of a list.
pub(super) const SET: &str = r#"
const [it, values] = arguments;
if (it.tagName === 'SELECT') {
  for (const option of it.options) { option.selected = values.includes(option.value); }
} else {
  it.value = values[0];
}
it.dispatchEvent(new Event('input', { bubbles: true }));
it.dispatchEvent(new Event('change', { bubbles: true }));
"#;

/// Clicks where the mouse cannot: at a box that is drawn by its label, at a button below something else.
pub(super) const CLICK: &str = "arguments[0].click();";

/// Sends the form of a control that has no button.
pub(super) const SEND: &str = "if (arguments[0].form) { arguments[0].form.requestSubmit(); }";

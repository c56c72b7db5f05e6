/** Makes a bus URL one that may be logged. */
const ONE_OF_OURS = /^(journal|memory):/;
const SCHEME = /^\s*[a-zA-Z][a-zA-Z0-9+.-]*:(\/\/)?/;

/**
 * The URL without user, password and secret parameters, whatever else is wrong with it. A password that
 * was not percent-encoded may hold anything, also what ends it (`/`, `@`, `?`, `#`, `&`): what could be a part of one goes.
 */
export function withoutSecrets(url: string): string {
  if (ONE_OF_OURS.test(url)) return url;
  const scheme = SCHEME.exec(url)?.[0] ?? '';
  const at = url.lastIndexOf('@');
  const question = url.indexOf('?');
  // One of a login, or one of a parameter: then neither side of it is safe.
  if (question >= 0 && question < at) return `${scheme}…`;
  const shown = at < 0 ? url : `${scheme}…${url.slice(at)}`;
  const [place = '', ...queries] = shown.split('?');
  if (queries.length === 0) return place;
  const parameters = queries.join('?').split(/[&#]/);
  return `${place}?${parameters.map((part) => (part === '' || part.startsWith('prefix=') ? part : '…')).join('&')}`;
}

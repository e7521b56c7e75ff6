/** Words that say that a value is a credential. Narrower than what guards something: the value itself must be secret. */
const SECRET_NAME =
  /(passw(or)?d|passphrase|passcode|secret|api_?key|access_?key|private_?key|signing_?key|encryption_?key|auth_?key|token|credential)s?$/i;

/** Not the value but something about it: `PASSWORD_FILE`, `token_url`; or a word that only looks like one. */
const ABOUT_ONE = /(token_?type|next_?token|page_?token|csrf_?token|tokens)$/i;

const PLACEHOLDER =
  /^(change[-_ ]?me|example|sample|placeholder|dummy|fake|test|todo|xxx+|none|null|undefined|your[-_ ]|my[-_ ]?(secret|password|token)|insert|replace|redacted|secret$|password$|\*+$|\.+$|<|\$\{|\{\{|%\(|\$\()/i;

/** Whether a name, in any of the usual spellings, says that its value is a credential. */
export function namesSecret(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return SECRET_NAME.test(words) && !ABOUT_ONE.test(words);
}

/** Shannon entropy in bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

/**
 * Whether a text that is called `name` is a real credential, and not a placeholder, a path, an address, a sentence or the
 * name of something. Wrong in both directions at times; words with neither digit nor sign are taken for names.
 */
export function looksLikeSecret(text: string, name: string): boolean {
  if (text.length < 8 || text.length > 500 || /\s/.test(text) || PLACEHOLDER.test(text)) return false;
  if (/^(\.{0,2}\/|[A-Za-z]:\\|[a-z][a-z0-9+.-]*:\/\/|#|@)/.test(text)) return false;
  if (
    text.toLowerCase() === name.toLowerCase() ||
    /^[A-Z][A-Z0-9_]*$/.test(text) ||
    /^[a-z]+([._:-][a-z]+)*$/i.test(text)
  )
    return false;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(text)).length;
  return kinds >= 2 && entropy(text) >= 2.5;
}

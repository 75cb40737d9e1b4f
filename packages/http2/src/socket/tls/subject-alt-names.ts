export interface SubjectAltNames {
  readonly uris: readonly string[];
  /** In lower case. */
  readonly dnsNames: readonly string[];
}

/** Both are IA5 text (RFC 5280 §4.2.1.6), and neither has use for spaces or quotes. */
const nameForm = /^[\x21-\x7e]+$/;

/** `URI:urn:a, DNS:"quoted as in JSON"`; which other types there are depends on OpenSSL. */
const entryForm = /(?<type>[A-Za-z0-9 ]+):(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<plain>[^",]*))(?:, |$)/y;

/**
 * Reads what `node:crypto` makes of the extension: entries between commas, quoted where a value holds what could be taken for the next
 * entry (CVE-2021-44532). Undefined where it cannot be understood as a whole, since what is misread here is a false identity.
 */
export function parseSubjectAltNames(text: string | undefined): SubjectAltNames | undefined {
  const uris: string[] = [];
  const dnsNames: string[] = [];
  if (text === undefined || text === "") return { uris, dnsNames };
  entryForm.lastIndex = 0;
  while (entryForm.lastIndex < text.length) {
    const groups = entryForm.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { type, quoted, plain } = groups;
    if (type !== "URI" && type !== "DNS") continue;
    const name = quoted === undefined ? plain : unquote(quoted);
    if (name === undefined || !nameForm.test(name)) return undefined;
    if (type === "URI") uris.push(name);
    else dnsNames.push(name.toLowerCase());
  }
  return { uris, dnsNames };
}

function unquote(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

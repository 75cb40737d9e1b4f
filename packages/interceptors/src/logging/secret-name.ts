/** Parts of names that usually mean a secret, in lower case and without separators. */
const secretParts = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "apikey",
  "accesskey",
  "servicekey",
  "privatekey",
  "authorization",
  "credential",
  "cookie",
  "jwt",
  "bearer",
  "otp",
  "ssn",
  "cvv",
  "cvc",
  "cardnumber",
  "iban",
  "signature",
];

const secretPattern = new RegExp(secretParts.filter((part) => part.length > 4).join("|"));
/** Short parts occur within other words ("class_name" contains "ssn"), so they must be a whole word of the name. */
const secretWords = new Set(secretParts.filter((part) => part.length <= 4));

/** Names that look like secrets, but are positions in a list or counts. */
const harmless =
  /^((next|previous|prev|start)?(page|continuation|sync|resume)token(s)?|tokencount|(max|total)tokens?)$/;

/** Whether the name of a field, map key or header means a secret, whose value must not be logged. */
export function isSecretName(name: string): boolean {
  const plain = name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
  if (harmless.test(plain)) return false;
  if (secretPattern.test(plain)) return true;
  return wordsOf(name).some((word) => secretWords.has(word));
}

/** Splits a name into words: `dbSsn_no` has the words db, ssn and no. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

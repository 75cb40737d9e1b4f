import type { X509Certificate } from "node:crypto";

/** The contents of TLS files when they were read, as `node:tls` takes them. Files that were not configured are absent. */
export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** Where it came from, for errors. */
export interface TlsFileNames {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
}

/** What is known of valid material. */
export interface TlsFacts {
  /** When the own certificate begins and ceases to be valid; undefined without one. */
  readonly validFrom: Date | undefined;
  readonly validTo: Date | undefined;
}

/** With the older labels that OpenSSL reads as well. */
const pemCertificate =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Looks whether the files can be used together. Two files are replaced one after the other, so that a certificate and the key
 * of another meet for a moment.
 *
 * @throws Error that names the option, the file and what is wrong with it; nothing of a key is in it
 */
export function checkTlsMaterial({ cert, key, ca }: TlsMaterial, names: TlsFileNames): TlsFacts {
  if (ca !== undefined) readCertificates(ca, `caFile ${names.caFile}`);
  if (cert === undefined || key === undefined) return { validFrom: undefined, validTo: undefined };
  const own = readCertificates(cert, `certFile ${names.certFile}`)[0] as X509Certificate;
  let belongs: boolean;
  try {
    belongs = own.checkPrivateKey(process.getBuiltinModule("node:crypto").createPrivateKey(key));
  } catch {
    throw new Error(`keyFile ${names.keyFile} does not contain a private key in PEM form without a passphrase`);
  }
  if (!belongs)
    throw new Error(`the key in keyFile ${names.keyFile} is not that of the certificate in certFile ${names.certFile}`);
  return { validFrom: own.validFromDate, validTo: own.validToDate };
}

/**
 * The certificates in PEM text, at least one. `what` is where they come from, for errors.
 *
 * @throws TypeError when it is missing or cannot be read
 */
export function readCertificates(pem: Buffer, what: string): X509Certificate[] {
  const { X509Certificate } = process.getBuiltinModule("node:crypto");
  try {
    const found = pem.toString("latin1").match(pemCertificate) ?? [];
    if (found.length > 0) return found.map((one) => new X509Certificate(one));
  } catch {
    // Reported below: OpenSSL's words for it help no one.
  }
  throw new TypeError(`${what} does not contain a valid certificate in PEM form`);
}

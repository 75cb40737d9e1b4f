import type { KeyObject, X509Certificate } from "node:crypto";
import { refuseUnknownOptions } from "../../options/check-options.ts";
import type { ClientTlsOptions } from "../client/http2-client-connection.ts";
import type { ServerTlsOptions } from "../server/listen.ts";
import type { TlsFilesOption } from "./tls-files.ts";
import { readCertificates } from "./tls-material.ts";

type Names<Options> = readonly (keyof (Options & TlsFilesOption))[];

/** What `node:tls` takes on both sides. Those with short names come first, as the nearest of several is the first. */
const commonNames = [
  "ca",
  "cert",
  "key",
  "pfx",
  "passphrase",
  "files",
  "requestCert",
  "rejectUnauthorized",
  "minVersion",
  "maxVersion",
  "ciphers",
  "sigalgs",
  "ecdhCurve",
  "crl",
  "dhparam",
  "honorCipherOrder",
  "allowPartialTrustChain",
  "secureProtocol",
  "secureOptions",
  "secureContext",
  "ALPNProtocols",
  "SNICallback",
  "pskCallback",
  "sessionIdContext",
  "sessionTimeout",
  "ticketKeys",
  "enableTrace",
  "privateKeyEngine",
  "privateKeyIdentifier",
  "clientCertEngine",
] as const satisfies Names<ServerTlsOptions & ClientTlsOptions>;

const serverNames: Names<ServerTlsOptions> = [...commonNames, "ALPNCallback", "handshakeTimeout", "pskIdentityHint"];

/** Not host, port, path and socket: where a connection goes is the resolver's decision. */
const clientNames: Names<ClientTlsOptions> = [
  ...commonNames,
  "servername",
  "checkServerIdentity",
  "session",
  "minDHSize",
  "lookup",
];

/** @throws TypeError or Error that names the option of `tls` that is wrong; nothing of a key is in it */
export function checkServerTls(where: string, tls: unknown): void {
  check(where, tls, serverNames, 'an object with cert and key, or with "files" of watchTlsFiles');
}

/** As `checkServerTls`, for a channel's `tls` or what its function returns. */
export function checkClientTls(where: string, tls: unknown): void {
  check(where, tls, clientNames, "true, an object of options of node:tls, or a function that returns one");
}

function check(where: string, tls: unknown, known: readonly string[], rule: string): void {
  const what = `${where}: tls`;
  if (typeof tls !== "object" || tls === null || Array.isArray(tls)) {
    throw new TypeError(`${what} is ${describe(tls)}; it has to be ${rule}`);
  }
  refuseUnknownOptions(what, tls, known);
  const { files, ca, cert, key, passphrase } = tls as TlsFilesOption & ServerTlsOptions;
  if (files !== undefined && typeof files.onChange !== "function") {
    throw new TypeError(`${what}.files is ${describe(files)}; it has to be what watchTlsFiles returns`);
  }
  for (const [index, one] of listOf(ca).entries()) certificatesOf(`${what}.ca${indexOf(ca, index)}`, one);
  const own = listOf(cert).map((one, index) => certificatesOf(`${what}.cert${indexOf(cert, index)}`, one)[0]);
  const keys = listOf(key).map((one, index) => privateKeyOf(`${what}.key${indexOf(key, index)}`, one, passphrase));
  const [[firstCertificate], [firstKey]] = [own, keys];
  const isPair = own.length === 1 && keys.length === 1 && firstCertificate !== undefined && firstKey !== undefined;
  if (isPair && !firstCertificate.checkPrivateKey(firstKey)) {
    throw new TypeError(`${what}.key is not the private key of the certificate in tls.cert`);
  }
}

function certificatesOf(what: string, value: unknown): readonly X509Certificate[] {
  return readCertificates(pemOf(what, value), what);
}

function privateKeyOf(what: string, value: unknown, shared: unknown): KeyObject {
  // node:tls takes keys with passphrases of their own as objects.
  const isObject = typeof value === "object" && value !== null && "pem" in value;
  const pem = pemOf(what, isObject ? value.pem : value);
  const own = isObject && "passphrase" in value ? value.passphrase : shared;
  const passphrase = typeof own === "string" ? own : undefined;
  const { createPrivateKey } = process.getBuiltinModule("node:crypto");
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch {
    // OpenSSL's words for it help no one, and might quote the key.
    const rule =
      passphrase === undefined ? "; one that is encrypted needs tls.passphrase" : " that the passphrase opens";
    throw new TypeError(`${what} does not contain a private key in PEM form${rule}`);
  }
}

function pemOf(what: string, value: unknown): Buffer {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(`${what} is ${describe(value)}; it has to be PEM text, or a Buffer that holds it`);
  }
  const pem = Buffer.from(value as string);
  if (pem.includes("-----BEGIN ")) return pem;
  const hint =
    typeof value === "string" ? "; it is the content and not the name of a file, which watchTlsFiles reads" : "";
  throw new TypeError(`${what} is not in PEM form${hint}`);
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value].flat();
}

function indexOf(value: unknown, index: number): string {
  return Array.isArray(value) ? `[${index}]` : "";
}

/** Only the kind: it may be a secret. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "boolean" ? String(value) : `of the type ${typeof value}`;
}

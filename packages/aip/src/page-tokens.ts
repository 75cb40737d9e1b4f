import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import type { JsonValue } from "@bufbuild/protobuf";
import { invalidArgument } from "@tercel/grpc/errors";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** A secret with a name, so that several can be in use while one takes over from another. */
export interface PageTokenKey {
  /** Travels in the token, readable: 1 to 16 of A-Z, a-z, 0-9, `-` and `_`. */
  readonly id: string;
  /** At least 32 random bytes. */
  readonly secret: Uint8Array;
}

export interface PageTokensOptions {
  /** The first makes new tokens; tokens of all are taken. To change keys, put the new one first and leave the old one in. */
  readonly keys: readonly PageTokenKey[];
  /**
   * What a token is, in small letters. Default `page token`. Another one, such as `resume token`, is for tokens that mark a place in something
   * else than the pages of a list. Violations say it, and their reason is made of it: `PAGE_TOKEN_INVALID`, `RESUME_TOKEN_INVALID`.
   */
  readonly noun?: string;
  /** The request's field that violations name. Default: the noun, `page_token`. */
  readonly field?: string;
}

export interface PageTokens<Cursor extends JsonValue> {
  /**
   * A token from which `read` gets the cursor back, for the same query only. `query` holds what has to stay the same from page
   * to page: filter, order, parent. The page size may change.
   */
  create(query: JsonValue, cursor: Cursor): string;
  /**
   * The cursor; undefined for the empty token, which means the first page.
   *
   * @throws ConnectError InvalidArgument when the token is not one of ours, was changed, or belongs to another query
   */
  read(query: JsonValue, token: string): Cursor | undefined;
}

const pageToken = "page token";
const maxNounCharacters = 40;
const version = 1;
const minSecretBytes = 32;
const saltBytes = 16;
const tagBytes = 16;
/** Cursors are keys of a row, not rows. A longer one is more likely an attack than a cursor. */
const maxTokenCharacters = 4096;
/** Each token has a key of its own, so its one nonce need not vary. */
const nonce = new Uint8Array(12);

/**
 * Page tokens (AIP-158) that callers can neither read nor change nor use for another query: the cursor encrypted with AES-256-GCM
 * under a key made of the secret and a random salt, the query as associated data.
 *
 * @throws TypeError or RangeError when a key or a noun is not valid
 */
export function createPageTokens<Cursor extends JsonValue>(options: PageTokensOptions): PageTokens<Cursor> {
  refuseUnknownOptions("createPageTokens", options, ["keys", "noun", "field"]);
  const keys = new Map<string, Uint8Array>();
  for (const { id, secret } of options.keys) {
    if (!/^[\w-]{1,16}$/.test(id)) {
      throw new TypeError(
        `createPageTokens: key id ${JSON.stringify(id)} has to be 1 to 16 letters, digits, "-" or "_"`,
      );
    }
    if (keys.has(id)) throw new TypeError(`createPageTokens: two keys have the id "${id}"`);
    if (secret.length < minSecretBytes) {
      throw new RangeError(
        `createPageTokens: the secret of key "${id}" has ${secret.length} bytes; it has to have at least ${minSecretBytes}`,
      );
    }
    keys.set(id, secret);
  }
  const first = options.keys[0];
  if (first === undefined) throw new TypeError("createPageTokens: keys is empty; it has to hold at least one key");
  const noun = checkedNoun(options.noun);
  const field = options.field ?? noun.replaceAll(" ", "_");
  const reason = `${noun.replaceAll(" ", "_").toUpperCase()}_INVALID`;

  return {
    create(query, cursor) {
      const salt = randomBytes(saltBytes);
      const cipher = createCipheriv("aes-256-gcm", tokenKey(first.secret, salt), nonce);
      cipher.setAAD(digestOf(query));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(cursor), "utf8"), cipher.final()]);
      const head = Buffer.concat([Buffer.from([version, first.id.length]), Buffer.from(first.id, "latin1")]);
      return Buffer.concat([head, salt, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    read(query, token) {
      if (token === "") return undefined;
      const cursor = open(keys, query, token);
      if (cursor === undefined) {
        if (noun !== pageToken) {
          throw invalidArgument({
            field,
            description: `is not a ${noun} for this request; pass one from a response to a request with the same other fields`,
            reason,
          });
        }
        throw invalidArgument({
          field,
          description:
            "is not a token of this list; pass next_page_token of the page before with the same other fields",
          reason,
        });
      }
      return cursor as Cursor;
    },
  };
}

function checkedNoun(noun: string = pageToken): string {
  if (noun.length <= maxNounCharacters && /^[a-z]+(?: [a-z]+)*$/.test(noun)) return noun;
  throw new TypeError(
    `createPageTokens: noun is ${JSON.stringify(noun)}; it has to be words in small letters, such as "resume token"`,
  );
}

/** Undefined for whatever is wrong: which it is would only help a forger. */
function open(keys: ReadonlyMap<string, Uint8Array>, query: JsonValue, token: string): JsonValue | undefined {
  if (token.length > maxTokenCharacters || !/^[\w-]+$/.test(token)) return undefined;
  const bytes = Buffer.from(token, "base64url");
  const idLength = bytes[1] ?? 0;
  const saltAt = 2 + idLength;
  const tagAt = saltAt + saltBytes;
  const sealedAt = tagAt + tagBytes;
  if (bytes[0] !== version || bytes.length <= sealedAt) return undefined;
  // Other spellings of the same bytes are not ours.
  if (bytes.toString("base64url") !== token) return undefined;
  const secret = keys.get(bytes.toString("latin1", 2, saltAt));
  if (secret === undefined) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", tokenKey(secret, bytes.subarray(saltAt, tagAt)), nonce);
    decipher.setAAD(digestOf(query));
    decipher.setAuthTag(bytes.subarray(tagAt, sealedAt));
    const text = decipher.update(bytes.subarray(sealedAt), undefined, "utf8") + decipher.final("utf8");
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function tokenKey(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update("page token ").update(salt).digest();
}

function digestOf(query: JsonValue): Uint8Array {
  return createHash("sha256").update(canonical(query)).digest();
}

/** JSON with sorted names, so that the order in which a handler lists them does not matter. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}

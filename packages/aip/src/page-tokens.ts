import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import type { JsonValue } from "@bufbuild/protobuf";
import { invalidArgument } from "@tercel/grpc/errors";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** A secret with an id, so that several can be in use during a rotation. */
export interface PageTokenKey {
  /** Part of each token, in the clear: 1 to 16 of A-Z, a-z, 0-9, `-` and `_`. */
  readonly id: string;
  /** At least 32 random bytes. */
  readonly secret: Uint8Array;
}

export interface PageTokensOptions {
  /**
   * New tokens use the first key; tokens of all keys are valid. To rotate, add the new key at the end, move it to the front when all processes
   * have it, and remove the old key when its tokens are no longer in use.
   */
  readonly keys: readonly PageTokenKey[];
  /**
   * The name of the token in lower case. Default `page token`. Use another one, such as `resume token`, for positions in something other than
   * the pages of a list. It is part of violations and of their reason: `PAGE_TOKEN_INVALID`, `RESUME_TOKEN_INVALID`.
   */
  readonly noun?: string;
  /** The name of the request field in violations. Default: the noun with underscores, `page_token`. */
  readonly field?: string;
}

export interface PageTokens<Cursor extends JsonValue> {
  /**
   * Returns a token from which `read` restores the cursor, for the same query only. `query` has the request fields that must stay the same
   * from page to page, such as filter, order and parent. The page size may change. `read` accepts at most 4,096 characters, so a cursor must
   * stay below 3,000 bytes of JSON.
   */
  create(query: JsonValue, cursor: Cursor): string;
  /**
   * Returns the cursor; undefined for the empty token, which means the first page.
   *
   * @throws ConnectError InvalidArgument when the token has no known key, was changed, or belongs to another query
   */
  read(query: JsonValue, token: string): Cursor | undefined;
}

const pageToken = "page token";
const maxNounCharacters = 40;
const version = 1;
const minSecretBytes = 32;
const saltBytes = 16;
const tagBytes = 16;
/** A cursor contains the key of a row, not the row. A longer token is more likely an attack. */
const maxTokenCharacters = 4096;
/** Each token is encrypted with its own key, so the nonce can be constant. */
const nonce = new Uint8Array(12);

/**
 * Creates page tokens (AIP-158) that callers cannot read, change, or use for another query. The cursor is encrypted with AES-256-GCM; the key
 * is derived from the secret and a random salt, and the query is the associated data.
 *
 * @throws TypeError or RangeError when a key or the noun is invalid
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
  if (first === undefined) throw new TypeError("createPageTokens: keys is empty; it has to have at least one key");
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
            "is not a token of this list; pass next_page_token of the previous page with the same other fields",
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
    `createPageTokens: noun is ${JSON.stringify(noun)}; it has to be lower-case words, such as "resume token"`,
  );
}

/** Returns undefined for every invalid token: the exact reason would only help an attacker. */
function open(keys: ReadonlyMap<string, Uint8Array>, query: JsonValue, token: string): JsonValue | undefined {
  if (token.length > maxTokenCharacters || !/^[\w-]+$/.test(token)) return undefined;
  const bytes = Buffer.from(token, "base64url");
  const idLength = bytes[1] ?? 0;
  const saltAt = 2 + idLength;
  const tagAt = saltAt + saltBytes;
  const sealedAt = tagAt + tagBytes;
  if (bytes[0] !== version || bytes.length <= sealedAt) return undefined;
  // base64url has several encodings of the same bytes; only the canonical one is valid.
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

/** Returns JSON with sorted keys, so that the order of the query's properties does not matter. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
}

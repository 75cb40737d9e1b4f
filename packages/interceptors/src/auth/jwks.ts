import type { Clock, Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { CryptoKey, JWSHeaderParameters } from "jose";
import { callback, listOf, maxTimerMs, type OptionsOf, oneOf, own, readOptions, wholeNumber } from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";
import { type Jose, loadJose } from "./load-jose.ts";
import { publicAlgorithms, type TokenAlgorithm } from "./token-keys.ts";

export const jwksOptions = {
  /** The URL of the keys: `https:`, or `http:` for localhost. Required. */
  url: own<string | URL>("an https: address, or an http: one of this machine", isTrustedUrl).required(),
  /** The accepted signature algorithms. HS256, HS384 and HS512 are not allowed, because a published key is not a secret. Required. */
  algorithms: listOf<TokenAlgorithm>(
    oneOf(...publicAlgorithms),
    'a list of algorithms, for example ["RS256"]',
    1,
  ).required(),
  /** Fetches the keys again after this time, in the background. Default 600,000 ms. */
  maxAgeMs: wholeNumber(1000).or(600_000),
  /** The minimum time between two requests, also after a failure or for an unknown key id. Default 30,000 ms. */
  cooldownMs: wholeNumber(1000).or(30_000),
  /** The timeout of a request. Default 5000 ms. */
  timeoutMs: wholeNumber(1, maxTimerMs).or(5000),
  /** Sends the requests. Default: the global `fetch`. */
  fetch: callback<typeof fetch>(),
};

/** How to load the keys that the issuer publishes (RFC 7517 §5). */
export type JwksOptions = OptionsOf<typeof jwksOptions>;

/** The error while no keys could be fetched, so that no token can be verified. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

type FindKey = ReturnType<Jose["createLocalJWKSet"]>;

const maxDocumentBytes = 1024 * 1024;

/**
 * A key set that is fetched for the first token, and again when it is old or a token has an unknown key id, so that an issuer may rotate its keys
 * at any time. While the issuer cannot be reached, the last set stays in use.
 */
export class JwksKeys {
  readonly #url: URL;
  readonly #algorithms: readonly string[];
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;
  readonly #sets: Refreshed<FindKey>;

  /** @throws TypeError or RangeError that names the option */
  constructor(where: string, options: JwksOptions, clock: Clock, log: Log) {
    const settings = readOptions(where, jwksOptions, options);
    const { maxAgeMs, cooldownMs } = settings;
    this.#url = new URL(settings.url);
    this.#algorithms = settings.algorithms;
    this.#timeoutMs = settings.timeoutMs;
    this.#fetch = settings.fetch ?? fetch;
    this.#sets = new Refreshed(() => this.#fetchKeys(), {
      clock,
      isStale: (_set, ageMs) => ageMs >= maxAgeMs,
      cooldownMs,
      coolsDownAtFirst: true,
      onFailure: (error) =>
        log.warn("cannot fetch the keys for token verification", {
          url: `${this.#url.origin}${this.#url.pathname}`,
          error: thrownText(error),
        }),
    });
  }

  /**
   * Resolves with the key for a token's header; undefined if the issuer does not have it. Rejects with KeysUnavailable if no set has ever
   * been fetched.
   */
  async find(header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
    if (header.alg === undefined || !this.#algorithms.includes(header.alg)) return undefined;
    const set = await this.#current();
    const found = await lookUp(set, header);
    if (found !== undefined) return found;
    const renewed = await this.#sets.renewed();
    return renewed === set ? undefined : lookUp(renewed, header);
  }

  async #current(): Promise<FindKey> {
    try {
      return await this.#sets.current();
    } catch (cause) {
      throw new KeysUnavailable("the issuer's keys could not be fetched", { cause });
    }
  }

  async #fetchKeys(): Promise<FindKey> {
    const response = await this.#fetch(this.#url, {
      headers: { accept: "application/jwk-set+json, application/json" },
      // The keys are trusted because of their URL, so redirects are not followed.
      redirect: "error",
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the response has status ${response.status}`);
    }
    const { createLocalJWKSet } = await loadJose();
    return createLocalJWKSet(JSON.parse(await readText(response)));
  }
}

async function lookUp(findKey: FindKey, header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
  const { errors } = await loadJose();
  try {
    return await findKey({ alg: header.alg as string, ...(header.kid !== undefined && { kid: header.kid }) });
  } catch (error) {
    // Without a key id, several keys may match, and the token is rejected.
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxDocumentBytes) throw new Error(`the response has more than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function isTrustedUrl(given: unknown): boolean {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined;
  const isLocal = url !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLocal);
}

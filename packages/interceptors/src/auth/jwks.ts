import type { Clock, Log } from "@tercel/grpc";
import { thrownText } from "@tercel/grpc/internal";
import type { CryptoKey, JWSHeaderParameters } from "jose";
import { callback, listOf, maxTimerMs, type OptionsOf, oneOf, own, readOptions, wholeNumber } from "../call/options.ts";
import { Refreshed } from "../call/refreshed.ts";
import { type Jose, loadJose } from "./load-jose.ts";
import { publicAlgorithms, type TokenAlgorithm } from "./token-keys.ts";

export const jwksOptions = {
  /** Where the keys are: an `https:` address, or an `http:` one of this machine. Required. */
  url: own<string | URL>("an https: address, or an http: one of this machine", isTrustedUrl).required(),
  /** Which signatures are accepted; a key of the set is used for these only. Not HS256 and its kin: a published key is not a secret. Required. */
  algorithms: listOf<TokenAlgorithm>(
    oneOf(...publicAlgorithms),
    'a list of signatures, for example ["RS256"]',
    1,
  ).required(),
  /** Keys older than this are fetched again, without a call that waits for it. Default 600,000 ms. */
  maxAgeMs: wholeNumber(1000).or(600_000),
  /** After a request, an unknown key id or a failure leads to another one only when this has passed. Default 30,000 ms. */
  cooldownMs: wholeNumber(1000).or(30_000),
  /** A request that takes longer has failed. Default 5000 ms. */
  timeoutMs: wholeNumber(1, maxTimerMs).or(5000),
  /** Default: the global `fetch`. */
  fetch: callback<typeof fetch>(),
};

/** Keys that the issuer publishes (RFC 7517 §5). */
export type JwksOptions = OptionsOf<typeof jwksOptions>;

/** No keys could be fetched, so that no token can be verified. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

type FindKey = ReturnType<Jose["createLocalJWKSet"]>;

const maxDocumentBytes = 1024 * 1024;

/**
 * A key set that is fetched when the first token comes, and again when it is old or a token names a key that it lacks, so that an issuer may
 * rotate its keys at any time. While the issuer cannot be reached, the last set continues to count.
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
        log.warn("the keys that tokens are verified with could not be fetched", {
          url: `${this.#url.origin}${this.#url.pathname}`,
          error: thrownText(error),
        }),
    });
  }

  /**
   * The key for a token's header; undefined when the issuer has none.
   *
   * @throws KeysUnavailable when there has never been a set
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
      // The set is trusted because of where it comes from.
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
    // Without a key id several keys may fit, and the token must say which one it means.
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

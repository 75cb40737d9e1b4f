import type { ResponseExtras } from "./calls/responder.ts";

/** Which web pages may call the server from a browser. */
export interface CorsOptions {
  /** Their origins, exactly (`https://app.example.com`), a function that decides, or "*" for all. The origin `null` is never allowed. */
  readonly origins: "*" | readonly string[] | ((origin: string) => boolean);
  /** Pages may send cookies and client certificates. Not with "*". Default false. */
  readonly credentials?: boolean;
  /** How long browsers keep the answer to a preflight. Default 7200 seconds, the most that Chromium takes. */
  readonly maxAgeSeconds?: number;
  /** Response headers that pages may read, besides those that this package sends and that the response carries. */
  readonly exposeHeaders?: readonly string[];
}

/** What the browser of a page is told, by the page's origin. */
export class Cors {
  readonly #options: CorsOptions;

  constructor(options: CorsOptions) {
    this.#options = options;
  }

  allows(origin: string): boolean {
    const { origins } = this.#options;
    if (origin === "null") return false;
    if (origins === "*") return true;
    return typeof origins === "function" ? origins(origin) : origins.includes(origin);
  }

  /** Added to every response to a request with an origin. Caches must not give one page's response to another, so `vary` is always there. */
  extrasFor(origin: string): ResponseExtras {
    if (!this.allows(origin)) return { fields: ["vary", "origin"], exposed: () => [] };
    const { exposeHeaders = [] } = this.#options;
    return {
      fields: ["vary", "origin", ...this.#originFields(origin)],
      exposed: (names) => [
        "access-control-expose-headers",
        [...new Set([...alwaysExposed, ...names.filter(isExposable), ...exposeHeaders])].join(", "),
      ],
    };
  }

  /** The fields of the answer to a preflight for a path that exists; without the origin's where it is not allowed. */
  preflightFields(origin: string, allowedMethods: readonly string[], requestedHeaders: string | undefined): string[] {
    const fields = ["vary", "origin, access-control-request-method, access-control-request-headers"];
    if (!this.allows(origin)) return fields;
    fields.push(...this.#originFields(origin), "access-control-allow-methods", allowedMethods.join(", "));
    if (requestedHeaders !== undefined && headerNames.test(requestedHeaders)) {
      fields.push("access-control-allow-headers", requestedHeaders);
    }
    fields.push("access-control-max-age", String(this.#options.maxAgeSeconds ?? defaultMaxAgeSeconds));
    return fields;
  }

  #originFields(origin: string): string[] {
    const { origins, credentials } = this.#options;
    const allowed = origins === "*" ? "*" : origin;
    const fields = ["access-control-allow-origin", allowed];
    if (credentials === true) fields.push("access-control-allow-credentials", "true");
    return fields;
  }
}

const defaultMaxAgeSeconds = 7200;
const alwaysExposed = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
const headerNames = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+( *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/;

/** Browsers show these without being told, or never. */
const neverExposed: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "set-cookie",
  "vary",
  "cache-control",
]);

function isExposable(name: string): boolean {
  return !neverExposed.has(name);
}

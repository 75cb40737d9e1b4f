import type { ResponseExtras } from "./calls/responder.ts";

/** Which web pages may call the server from a browser. */
export interface CorsOptions {
  /** The allowed origins, such as `https://app.example.com`, or a function that decides, or "*" for all. The origin `null` is never allowed. */
  readonly origins: "*" | readonly string[] | ((origin: string) => boolean);
  /** Whether pages may send cookies and client certificates. Not allowed with "*". Default false. */
  readonly credentials?: boolean;
  /** How long browsers cache the response to a preflight. Default 7200 seconds, which is Chromium's maximum. */
  readonly maxAgeSeconds?: number;
  /** Additional response headers that pages may read. Those in the response, and those of gRPC's status, are always exposed. */
  readonly exposeHeaders?: readonly string[];
}

/** The CORS response fields for the origin of a page. */
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

  /** Returns the fields for responses to requests with an origin. They always include `vary`, so that caches do not mix responses of pages. */
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

  /** Returns the fields of the response to a preflight for an existing path. They do not allow the request if the origin is not allowed. */
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

/** Headers that browsers always or never expose. */
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

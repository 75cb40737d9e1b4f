import { array, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, text, url, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

const jwtSection = pipe(
  strictObject({
    enabled: optional(flag(), true),
    issuer: text({ minLength: 1, description: "Whose tokens count: `iss`." }),
    audience: optional(text({ minLength: 1, description: "Who this is: `aud`. Default: `service.name`." })),
    jwks_url: optional(
      url(["https", "http"], { description: "Where the issuer publishes its keys. `http:` on this machine only." }),
    ),
    algorithms: optional(array(choice(algorithms, { description: "A signature that counts." })), ["RS256", "ES256"]),
    secret: optional(
      text({
        secret: true,
        minLength: 32,
        expects: "a secret of 32 characters or more",
        description: "The shared key of HS256, instead of `jwks_url`.",
      }),
    ),
    key_id: optional(
      text({
        secret: false,
        minLength: 1,
        description: "The `kid` of tokens that name the shared key. Tokens without `kid` count as well.",
      }),
      "configured",
    ),
  }),
  transform(({ enabled, issuer, audience, jwks_url: jwksUrl, algorithms: accepted, secret, key_id: keyId }) =>
    dropUndefined({ enabled, issuer, audience, jwksUrl, algorithms: accepted, secret, keyId }),
  ),
);

/** `security`: who may call. */
export const securitySection = pipe(
  strictObject({
    service_auth_key: optional(
      text({ secret: true, minLength: 1, description: "The key that services show each other." }),
    ),
    service_auth_header: optional(
      text({
        secret: false,
        pattern: /^[a-z0-9][a-z0-9_.-]*$/,
        expects: "a metadata key in lower case",
        description: "The metadata that carries it, next to `x-service-key`.",
      }),
      "service-auth-key",
    ),
    service_keys_file: optional(
      text({
        secret: false,
        minLength: 1,
        expects: "the path of a file",
        description:
          "Names and keys of the services that may call, one in each line; it is read again when it changes.",
      }),
    ),
    secret: optional(
      text({
        secret: true,
        minLength: 32,
        expects: "a secret of 32 characters or more",
        description:
          "What keys for single purposes are derived from, page tokens for example. Development makes one up.",
      }),
    ),
    jwt: optional(jwtSection),
  }),
  transform((written) =>
    dropUndefined({
      serviceAuthKey: written.service_auth_key,
      serviceAuthHeader: written.service_auth_header,
      serviceKeysFile: written.service_keys_file,
      secret: written.secret,
      jwt: written.jwt,
    }),
  ),
);

/** `rate_limit`: calls of one client. */
export const rateLimitSection = pipe(
  strictObject({
    enabled: optional(flag({ reload: true, description: "`false` turns rate limits off." }), true),
    calls: optional(
      wholeNumber(1, 1_000_000_000, { reload: true, description: "Calls of one client within `per`." }),
      100,
    ),
    address_calls: optional(
      wholeNumber(1, 1_000_000_000, {
        reload: true,
        description: "Calls of one address within `per`, before it is known who calls. Default: no limit.",
      }),
    ),
    per: optional(duration({ minMs: 1, reload: true }), "1m"),
  }),
  transform(({ enabled, calls, address_calls: addressCalls, per }) =>
    dropUndefined({ enabled, calls, addressCalls, windowMs: per }),
  ),
);

export type SecuritySection = InferOutput<typeof securitySection>;
export type RateLimitSection = InferOutput<typeof rateLimitSection>;

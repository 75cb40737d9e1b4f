import { array, type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, text, url, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;

const jwtSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "`false` ignores `jwt`." }), true),
    issuer: text({ minLength: 1, description: "Accepted issuer (`iss`)." }),
    audience: optional(text({ minLength: 1, description: "Accepted audience (`aud`). Default: `service.name`." })),
    jwks_url: optional(
      url(["https", "http"], { description: "URL of the issuer's public keys. `http:` only on this machine." }),
    ),
    algorithms: optional(array(choice(algorithms, { description: "An accepted signature algorithm." })), [
      "RS256",
      "ES256",
    ]),
    secret: optional(
      text({
        secret: true,
        minLength: 32,
        expects: "a secret of 32 characters or more",
        description: "Shared key of HS256, instead of `jwks_url`.",
      }),
    ),
    key_id: optional(
      text({
        secret: false,
        minLength: 1,
        description: "Key ID (`kid`) of the shared key. Tokens without `kid` are accepted too.",
      }),
      "configured",
    ),
  }),
  transform(({ enabled, issuer, audience, jwks_url: jwksUrl, algorithms: accepted, secret, key_id: keyId }) =>
    dropUndefined({ enabled, issuer, audience, jwksUrl, algorithms: accepted, secret, keyId }),
  ),
);

/** `security`: authentication of callers. */
export const securitySection = pipe(
  strictObject({
    service_auth_key: optional(
      text({ secret: true, minLength: 1, description: "Key with which services authenticate to each other." }),
    ),
    service_auth_header: optional(
      text({
        secret: false,
        pattern: /^[a-z0-9][a-z0-9_.-]*$/,
        expects: "a metadata key in lower case",
        description: "Metadata key that carries it, in addition to `x-service-key`.",
      }),
      "service-auth-key",
    ),
    service_keys_file: optional(
      text({
        secret: false,
        minLength: 1,
        expects: "the path of a file",
        description:
          "File with names and keys of the services that may call, one per line; it is reloaded when it changes.",
      }),
    ),
    secret: optional(
      text({
        secret: true,
        minLength: 32,
        expects: "a secret of 32 characters or more",
        description: "Secret from which keys are derived, such as the key of page tokens. Generated in development.",
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

/** `rate_limit`: limits on calls per client. */
export const rateLimitSection = pipe(
  strictObject({
    enabled: optional(flag({ reload: true, description: "`false` disables rate limits." }), true),
    calls: optional(
      wholeNumber(1, 1_000_000_000, { reload: true, description: "Calls per client within `per`." }),
      100,
    ),
    address_calls: optional(
      wholeNumber(1, 1_000_000_000, {
        reload: true,
        description: "Calls per address within `per`, before authentication. Default: no limit.",
      }),
    ),
    per: optional(duration({ minMs: 1, reload: true, description: "Period of the limits." }), "1m"),
  }),
  transform(({ enabled, calls, address_calls: addressCalls, per }) =>
    dropUndefined({ enabled, calls, addressCalls, windowMs: per }),
  ),
);

export type SecuritySection = InferOutput<typeof securitySection>;
export type RateLimitSection = InferOutput<typeof rateLimitSection>;

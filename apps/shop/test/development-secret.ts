import { createSecrets, developmentIssuer, developmentTokenPurpose } from "@tercel/service/internal";
import { SignJWT } from "jose";

/** The services of the shop, each the audience of its tokens. */
export const serviceNames = ["user-service", "order-service", "payment-service", "notification-service"] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface DevelopmentToken {
  /** The caller: the id of a user, or any name. */
  readonly subject: string;
  readonly role: "user" | "moderator" | "admin";
  /** May be negative, for a token that has expired. */
  readonly minutes: number;
  /** The audience. Default: all services of the shop. */
  readonly audience?: readonly string[];
}

/** Signs a token that services with this secret accept in development. */
export function signDevelopmentToken(secret: string, token: DevelopmentToken): Promise<string> {
  const { subject, role, minutes, audience = serviceNames } = token;
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ roles: [role] })
    .setProtectedHeader({ alg: "HS256", kid: "development", typ: "JWT" })
    .setIssuer(developmentIssuer)
    .setAudience([...audience])
    .setSubject(subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + minutes * 60)
    .sign(derive(secret, developmentTokenPurpose));
}

/** Returns the key of a service in development. */
export function developmentServiceKey(secret: string, service: string): string {
  return Buffer.from(derive(secret, `service key of ${service}`)).toString("hex");
}

function derive(secret: string, purpose: string): Uint8Array {
  return createSecrets({ secret, environment: { name: "development", isProduction: false } })(purpose);
}

import { hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SignJWT } from "jose";

/** The roles that a token may have; they are those of user.v1. */
export const tokenRoles = ["user", "moderator", "admin"] as const;
export type TokenRole = (typeof tokenRoles)[number];

export interface DevelopmentToken {
  /** Who calls: the id of a user, or any name. */
  readonly subject: string;
  readonly role: TokenRole;
  /** May be negative, for a token that has expired. */
  readonly minutes: number;
  /** Which services take it. Default: all of the shop. */
  readonly audience?: readonly string[];
}

/** What the services of a data folder share in development. Whoever reads it can read the databases as well. */
export interface DevelopmentSecret {
  /** For `security.secret` of every service: what their keys are derived from. */
  readonly text: string;
  /** The key that a service shows to others. */
  serviceKey(service: string): string;
  signToken(token: DevelopmentToken): Promise<string>;
}

/** The services of the shop, each the audience of its tokens. */
export const serviceNames = ["user-service", "order-service", "payment-service", "notification-service"] as const;
export type ServiceName = (typeof serviceNames)[number];

const secretBytes = 32;

/**
 * Reads the secret of a data folder, and makes one where there is none, for this user only.
 *
 * @throws Error of the system when the folder cannot be used, and for a file that holds too little; it names the file
 */
export function openDevelopmentSecret(dataFolder: string): DevelopmentSecret {
  const path = join(dataFolder, "secret.key");
  const text = readOrCreate(dataFolder, path).trim();
  if (text.length < secretBytes) {
    throw new Error(`${path} holds less than ${secretBytes} characters; delete it to have a new one made`);
  }
  const derive = (purpose: string) => new Uint8Array(hkdfSync("sha256", text, "", `tercel ${purpose}`, secretBytes));
  return {
    text,
    serviceKey: (service) => Buffer.from(derive(`service key of ${service}`)).toString("hex"),
    signToken({ subject, role, minutes, audience = serviceNames }) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      // As the service kit takes them in development, where no issuer is configured.
      return new SignJWT({ roles: [role] })
        .setProtectedHeader({ alg: "HS256", kid: "development", typ: "JWT" })
        .setIssuer("tercel-development")
        .setAudience([...audience])
        .setSubject(subject)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + minutes * 60)
        .sign(derive("development tokens"));
    },
  };
}

/** Writes the keys of all services, by which each knows the others, and returns the file's path. */
export function writeServiceKeys(dataFolder: string, secret: DevelopmentSecret): string {
  const path = join(dataFolder, "service-keys");
  const lines = serviceNames.map((service) => `${service} ${secret.serviceKey(service)}\n`);
  writeFileSync(path, lines.join(""), { mode: 0o600 });
  return path;
}

function readOrCreate(folder: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Linked when it is whole: of two programs that start together, one makes the secret and the other reads it.
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${randomBytes(secretBytes).toString("base64")}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(path, "utf8");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

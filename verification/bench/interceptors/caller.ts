import { createHmac } from "node:crypto";

/** The values that the caller of this benchmark and its servers share. */
export const issuer = "https://issuer.example";
export const audience = "bench";
export const scope = "echo.call";
/** The key of both processes. A benchmark protects nothing. */
export const secret = new Uint8Array(32).fill(7);

const tokenSeconds = 3600;

/** The headers of a service's callers: a token, an unrecorded trace, and a timeout. */
export function callerHeaders(nowMs: number): string[] {
  return [
    "user-agent: grpc-go/1.70.0",
    `authorization: Bearer ${token(Math.floor(nowMs / 1000))}`,
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    "grpc-timeout: 5S",
  ];
}

/** Returns a JWT (RFC 7519) that is valid for an hour. */
export function token(nowSeconds: number, scopes = `profile ${scope}`): string {
  const claims = {
    iss: issuer,
    aud: audience,
    sub: "0f8fad5b-d9cb-469f-a165-70867728950e",
    scope: scopes,
    roles: ["user"],
    iat: nowSeconds,
    exp: nowSeconds + tokenSeconds,
  };
  const signed = [{ alg: "HS256", typ: "JWT", kid: "bench" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

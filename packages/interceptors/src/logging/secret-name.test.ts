import assert from "node:assert/strict";
import { test } from "node:test";
import { isSecretName } from "./secret-name.ts";

test("recognises secret names in any spelling", () => {
  const secret = [
    "password",
    "userPassword",
    "db_passwd",
    "API-Key",
    "apiKey",
    "x-api-key",
    "x-service-key",
    "access_token",
    "accessTokens",
  ];
  secret.push(
    "Authorization",
    "proxy-authorization",
    "set-cookie",
    "clientSecret",
    "SECRET",
    "private_key",
    "jwt",
    "idToken",
  );
  secret.push("otp", "ssn", "user_ssn", "cardNumber", "cvv", "credentials");
  for (const name of secret) assert.equal(isSecretName(name), true, name);
});

test("does not treat harmless names as secrets", () => {
  const harmless = [
    "name",
    "page_token",
    "nextPageToken",
    "next_page_token",
    "class_name",
    "adoption",
    "key",
    "max_tokens",
  ];
  harmless.push("pass", "user-agent", "x-request-id", "author", "");
  for (const name of harmless) assert.equal(isSecretName(name), false, name);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSecrets, developmentKey, shareMadeUpSecret } from "./service-secret.ts";

const development = { name: "development", isProduction: false };
const production = { name: "staging", isProduction: true };

test("a purpose has one key of 32 bytes, the same in every process with the secret, and another purpose another", () => {
  const [one, other] = [
    { environment: production, secret: "s".repeat(32) },
    { environment: production, secret: "t".repeat(32) },
  ].map(createSecrets);
  assert.ok(one !== undefined && other !== undefined);
  assert.equal(one("page tokens").length, 32);
  assert.deepEqual(
    one("page tokens"),
    createSecrets({ environment: production, secret: "s".repeat(32) })("page tokens"),
  );
  assert.notDeepEqual(one("page tokens"), one("cookies"));
  assert.notDeepEqual(one("page tokens"), other("page tokens"));
});

test("development makes a secret up, and everything else asks for one", () => {
  const secrets = createSecrets({ environment: development });
  assert.deepEqual(secrets("cookies"), secrets("cookies"));
  assert.notDeepEqual(secrets("cookies"), createSecrets({ environment: development })("cookies"));
  assert.throws(
    () => createSecrets({ environment: production })("cookies"),
    /security\.secret is not set; it is needed to derive a key for "cookies" \(.*the environment is staging\)/,
  );
});

test("the workers of one program share what development makes up", (t) => {
  t.after(() => {
    delete process.env.TERCEL_MADE_UP_SECRET;
  });
  shareMadeUpSecret({ environment: production });
  shareMadeUpSecret({ environment: development, secret: "s".repeat(32) });
  assert.equal(process.env.TERCEL_MADE_UP_SECRET, undefined);
  shareMadeUpSecret({ environment: development });
  const [one, other] = [{ environment: development }, { environment: development }].map(createSecrets);
  assert.deepEqual(one?.("cookies"), other?.("cookies"));
});

test("a service has a key of development by its name and its secret, and none in production or without a secret", () => {
  const secret = "s".repeat(32);
  const key = developmentKey({ environment: development, secret }, "orders");
  assert.match(key ?? "", /^[0-9a-f]{64}$/);
  assert.equal(developmentKey({ environment: development, secret }, "orders"), key);
  assert.notEqual(developmentKey({ environment: development, secret }, "users"), key);
  assert.equal(developmentKey({ environment: production, secret }, "orders"), undefined);
  assert.equal(developmentKey({ environment: development }, "orders"), undefined);
});

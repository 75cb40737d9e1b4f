import assert from "node:assert/strict";
import { it } from "node:test";
import { requiredPlaceholders } from "./config-placeholders.ts";

it("finds the variables that have to be set, and the keys that they are for", () => {
  const base = `
database:
  providers:
    postgres:
      url: \${DATABASE_URL}
      migration_url: \${DATABASE_URL}
cache:
  providers:
    redis:
      enabled: false
      url: \${REDIS_URL}
discovery:
  providers:
    etcd:
      endpoints:
        - \${ETCD_ONE}
        - \${ETCD_TWO}
service:
  name: \${NAME:-user}
  version: $\${LITERAL} and \${VERSION}
`;
  const overlay = `
discovery:
  providers:
    etcd:
      endpoints:
        - \${ETCD_ENDPOINT}
database:
  providers:
    postgres:
      migration_url: \${MIGRATION_URL}
`;
  assert.deepEqual(requiredPlaceholders([base, overlay]), [
    { name: "DATABASE_URL", paths: ["database.providers.postgres.url"] },
    { name: "MIGRATION_URL", paths: ["database.providers.postgres.migration_url"] },
    { name: "ETCD_ENDPOINT", paths: ["discovery.providers.etcd.endpoints[0]"] },
    { name: "VERSION", paths: ["service.version"] },
  ]);
});

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { allTypes } from "../../src/config/service-schema/provider-types.ts";
import { builtInConcerns, knownProviders } from "../../src/kit/providers/built-in-providers.ts";
import { serviceJsonSchema } from "./json-schema.ts";
import { referencePage } from "./reference-page.ts";

const schemaFile = new URL("../../config.schema.json", import.meta.url);
const pageFile = new URL("../../../../docs/reference/configuration.md", import.meta.url);
/** Writes the files instead of comparing them; `biome check --write` then formats the schema. */
const isUpdate = process.env.UPDATE_CONFIG_REFERENCE === "1";

const providers = await knownProviders(builtInConcerns);
const types = {
  development: allTypes({ isProduction: false }, providers),
  production: allTypes({ isProduction: true }, providers),
};

describe("what is written from the schema is up to date (UPDATE_CONFIG_REFERENCE=1 npm test -- config-reference)", () => {
  test("the JSON Schema for editors", () => {
    const schema = serviceJsonSchema(types.development);
    if (isUpdate) writeFileSync(schemaFile, `${JSON.stringify(schema, undefined, 2)}\n`);
    assert.deepEqual(JSON.parse(readFileSync(schemaFile, "utf8")), JSON.parse(JSON.stringify(schema)));
  });

  test("the reference page", () => {
    const page = referencePage(types);
    if (isUpdate) writeFileSync(pageFile, page);
    assert.equal(readFileSync(pageFile, "utf8"), page);
  });
});

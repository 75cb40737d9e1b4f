// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { looseObject } from "valibot";
import { ConfigError, type ConfigSources, loadConfig } from "../../src/config/index.ts";
import { createConfigFolder } from "./config-folder.ts";

async function load(test: TestContext, files: Record<string, string>, sources: ConfigSources = {}): Promise<unknown> {
  const folder = createConfigFolder(test, files);
  return (await loadConfig(looseObject({}), { folder, variables: {}, ...sources })).value;
}

async function refusal(test: TestContext, files: Record<string, string>, sources: ConfigSources = {}): Promise<string> {
  try {
    await load(test, files, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return assert.fail("was taken");
}

describe("layers of a configuration", () => {
  const layered = {
    "config.yaml": "a: base\nb: base\nc: base\nd: base\ne: base\n",
    "config/staging.yaml": "b: env\nc: env\nd: env\ne: env\n",
    "config/development.yaml": "b: env\nc: env\nd: env\ne: env\n",
    "config/local.yaml": "c: local\nd: local\ne: local\n",
  };

  test("are base, environment, local, variables and --set, of which the later wins", async (t) => {
    const sources = { variables: { TERCEL__D: "variable", TERCEL__E: "variable" }, set: ["e=argument"] };
    assert.deepEqual(await load(t, layered, sources), {
      a: "base",
      b: "env",
      c: "local",
      d: "variable",
      e: "argument",
    });
  });

  test("leave local.yaml out in the production profile", async (t) => {
    const value = await load(t, layered, { variables: { TERCEL_ENV: "staging" } });
    assert.deepEqual(value, { a: "base", b: "env", c: "env", d: "env", e: "env" });
  });

  test("begin with config/default.yaml where there is no config.yaml", async (t) => {
    assert.deepEqual(await load(t, { "config/default.yaml": "a: 1\n", "config/development.yaml": "b: 2\n" }), {
      a: 1,
      b: 2,
    });
  });

  test("begin with the file that was named, relative to the folder or absolute", async (t) => {
    const files = { "config.yaml": "a: 1\n", "other/x.yaml": "b: 2\n" };
    const folder = createConfigFolder(t, files);
    for (const file of ["other/x.yaml", join(folder, "other/x.yaml")]) {
      assert.deepEqual((await loadConfig(looseObject({}), { folder, file, variables: {} })).value, { b: 2 });
    }
  });

  test("are none where there are no files", async (t) => {
    assert.deepEqual(await load(t, {}), {});
    assert.deepEqual(await load(t, { "config.yaml": "# nothing\n" }, { variables: { TERCEL__A: "1" } }), { a: 1 });
  });

  test("have other overlays, or none, where that is asked for", async (t) => {
    const files = { "config.yaml": "a: 1\n", "config/development.yaml": "b: 2\n", "more/development.yaml": "c: 3\n" };
    assert.deepEqual(await load(t, files, { overlays: "more" }), { a: 1, c: 3 });
    assert.deepEqual(await load(t, files, { overlays: false }), { a: 1 });
  });

  test("have variables of another prefix where that is asked for", async (t) => {
    const variables = { SHOP__A: "1", TERCEL__B: "2", SHOP_ENV: "staging" };
    assert.deepEqual(await load(t, { "config/staging.yaml": "c: 3\n" }, { variables, envPrefix: "SHOP" }), {
      a: 1,
      c: 3,
    });
  });

  test("take values of code over files and under variables, without filling placeholders in them", async (t) => {
    const files = { "config.yaml": "a: file\nb: file\nc: file\n" };
    const sources = { values: { b: "code", c: "code", d: "${X}" }, variables: { TERCEL__C: "variable" } };
    assert.deepEqual(await load(t, files, sources), { a: "file", b: "code", c: "variable", d: "${X}" });
    assert.deepEqual(await load(t, files, { file: false, values: { b: 1 } }), { b: 1 });
  });

  test("are merged before placeholders are filled: what is replaced needs no variable", async (t) => {
    const files = { "config.yaml": 'a: "${UNSET}"\nb: "${SET}"\n', "config/local.yaml": "a: 1\n" };
    assert.deepEqual(await load(t, files, { variables: { SET: "x" } }), { a: 1, b: "x" });
  });

  test("may hold keys that begin with x-, for anchors", async (t) => {
    assert.deepEqual(await load(t, { "config.yaml": "x-pool: &pool {a: 1}\nb: *pool\n" }), { b: { a: 1 } });
  });

  test("name the environment and every file that was looked for", async (t) => {
    const folder = createConfigFolder(t, { "config.yaml": 'a: "${file:secret}"\n', secret: "x" });
    const loaded = await loadConfig(looseObject({}), { folder, variables: { NODE_ENV: "test" } });
    assert.deepEqual(loaded.environment, { name: "test", isProduction: false, from: "NODE_ENV" });
    const names = ["config.yaml", "config/default.yaml", "config/test.yaml", "config/local.yaml", "secret"];
    assert.deepEqual(
      loaded.files,
      names.map((name) => join(folder, name)),
    );
  });

  test("are refused when config.yaml and config/default.yaml both exist", async (t) => {
    const message = await refusal(t, { "config.yaml": "a: 1\n", "config/default.yaml": "a: 2\n" });
    assert.equal(message, "both config.yaml and config/default.yaml exist; keep one of them");
  });

  test("are refused when the file that was named does not exist or is a folder", async (t) => {
    assert.equal(await refusal(t, {}, { file: "none.yaml" }), "cannot read none.yaml: no such file");
    assert.match(await refusal(t, { "a/b.yaml": "" }, { file: "a" }), /^cannot read a: EISDIR/);
  });

  test("are refused when a file ends with .yml, which would be left out", async (t) => {
    assert.equal(await refusal(t, { "config.yml": "a: 1\n" }), "config.yml is ignored; rename it to config.yaml");
    assert.equal(
      await refusal(t, { "config/development.yml": "" }),
      "config/development.yml is ignored; rename it to config/development.yaml",
    );
  });

  test("are refused when a file is not UTF-8", async (t) => {
    const folder = createConfigFolder(t, {});
    const { writeFileSync } = await import("node:fs");
    writeFileSync(join(folder, "config.yaml"), Uint8Array.of(0x61, 0x3a, 0x20, 0xff));
    await assert.rejects(
      loadConfig(looseObject({}), { folder, variables: {} }),
      /^ConfigError: cannot read config\.yaml: /,
    );
  });

  test("are refused with the problems of all files at once, in their order", async (t) => {
    const files = { "config.yaml": "a: 1\na: 2\nb: [\n", "config/local.yaml": "c: 1\nc: 2\n" };
    const lines = (await refusal(t, files)).split("\n");
    assert.match(lines[0] ?? "", /^the configuration has \d problems:$/);
    assert.equal(
      lines.findIndex((line) => line.startsWith("config/local.yaml")) >
        lines.findIndex((line) => line.startsWith("config.yaml")),
      true,
    );
  });

  test("are refused for an environment that is no name", async (t) => {
    assert.match(
      await refusal(t, {}, { variables: { TERCEL_ENV: "../x" } }),
      /^variable TERCEL_ENV is "\.\.\/x"; expected a name/,
    );
  });
});

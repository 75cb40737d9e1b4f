import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { array, object, optional, record, strictObject, string, unknown } from "valibot";
import { problemText } from "../config-problem.ts";
import { nodeAt, toPlain } from "../document/config-node.ts";
import { describeOrigin } from "../document/origin.ts";
import { readYaml } from "../document/read-yaml.ts";
import { shapeOf } from "../schema/schema-shape.ts";
import { port, text } from "../values/basic-values.ts";
import { applyAssignments } from "./apply-assignments.ts";
import { argumentAssignments, variableAssignments } from "./assignments.ts";

const schema = object({
  service: optional(strictObject({ name: text(), port: port(), "stop-after": text(), cert_file: text() })),
  database: optional(object({ providers: record(string(), strictObject({ url: text(), max_connections: port() })) })),
  dependencies: optional(array(strictObject({ name: text(), version: text() }))),
  origins: optional(array(text())),
  app: optional(unknown()),
});
const yaml =
  "service: {name: a}\ndatabase: {providers: {reporting-db: {url: x}}}\ndependencies: [{name: order-service, version: v1}]\norigins: [a]\n";

async function apply(assignments: Parameters<typeof applyAssignments>[1]) {
  const { root, problems } = await applyAssignments(readYaml(yaml, "c.yaml").root ?? assert.fail(), assignments, {
    shape: shapeOf(schema),
    mergedLists: new Map([["dependencies", "name"]]),
    readFile(file) {
      if (file === "/run/url") return "from file\n";
      throw new Error("no such file");
    },
  });
  return { root, plain: toPlain(root) as Record<string, never>, problems: problems.map(problemText) };
}

const byVariables = (variables: Record<string, string>) => apply(variableAssignments(variables, "TERCEL"));
const byArguments = (...texts: string[]) => apply(argumentAssignments(texts).assignments);

describe("variables", () => {
  test("set keys by path, with - as _ and any case, numbers and booleans as such", async () => {
    const { plain, problems } = await byVariables({
      TERCEL__SERVICE__PORT: "8080",
      TERCEL__SERVICE__STOP_AFTER: "x",
      TERCEL__DATABASE__PROVIDERS__REPORTING_DB__MAX_CONNECTIONS: "50",
      TERCEL__DATABASE__PROVIDERS__NEW_ONE__URL: "y",
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(plain, {
      ...plain,
      service: { name: "a", port: 8080, "stop-after": "x" },
      database: { providers: { "reporting-db": { url: "x", max_connections: 50 }, new_one: { url: "y" } } },
    });
  });

  test("reach an item of a list by its name or index", async () => {
    const variables = { TERCEL__DEPENDENCIES__ORDER_SERVICE__VERSION: "v2", TERCEL__ORIGINS__0: "b" };
    const { plain } = await byVariables(variables);
    assert.deepEqual([plain.dependencies, plain.origins], [[{ name: "order-service", version: "v2" }], ["b"]]);
  });

  test("of other programs are none of ours", async () => {
    assert.deepEqual((await byVariables({ TERCEL_SERVICE_HOST: "x", TERCELX__A: "x", TERCEL_ENV: "x" })).problems, []);
  });

  test("that are not known are refused with the nearest in their own notation", async () => {
    assert.deepEqual((await byVariables({ TERCEL__SERVICE__PROT: "1", TERCEL__SERVCE__PORT: "1" })).problems, [
      "variable TERCEL__SERVCE__PORT: unknown key servce; did you mean TERCEL__SERVICE?",
      "variable TERCEL__SERVICE__PROT: unknown key service.prot; did you mean TERCEL__SERVICE__PORT?",
    ]);
  });

  test("that lead below a value, to no item of a list, or past its end are refused", async () => {
    assert.deepEqual(
      (
        await byVariables({
          TERCEL__SERVICE__NAME__X: "1",
          TERCEL__DEPENDENCIES__PAYMENTS__VERSION: "1",
          TERCEL__ORIGINS__1: "x",
        })
      ).problems,
      [
        "variable TERCEL__DEPENDENCIES__PAYMENTS__VERSION: dependencies has no entry payments",
        "variable TERCEL__ORIGINS__1: origins has no entry 1",
        "variable TERCEL__SERVICE__NAME__X: unknown key service.name.x",
      ],
    );
  });

  test("that end with _FILE hold the name of a file, unless the key itself ends so", async () => {
    const { plain, root } = await byVariables({
      TERCEL__SERVICE__NAME_FILE: "/run/url",
      TERCEL__SERVICE__CERT_FILE: "/x",
    });
    assert.deepEqual(plain.service, { name: "from file", cert_file: "/x" });
    const origin = nodeAt(root, ["service", "name"])?.origin ?? assert.fail();
    assert.equal(describeOrigin(origin), "variable TERCEL__SERVICE__NAME_FILE (file /run/url)");
  });

  test("that name a file which cannot be read, or a key that is not known, say so", async () => {
    assert.deepEqual(
      (await byVariables({ TERCEL__SERVICE__NAME_FILE: "/none", TERCEL__SERVICE__NAM_FILE: "/run/url" })).problems,
      [
        "variable TERCEL__SERVICE__NAME_FILE: cannot read file /none: no such file",
        "variable TERCEL__SERVICE__NAM_FILE: unknown key service.nam; did you mean TERCEL__SERVICE__NAME?",
      ],
    );
  });

  test("are never filled with placeholders and may be empty", async () => {
    assert.deepEqual((await byVariables({ TERCEL__SERVICE__NAME: "" })).plain.service, { name: "" });
  });

  test("hold lists and maps in flow style, and lists with commas", async () => {
    const { plain } = await byVariables({ TERCEL__ORIGINS: "a, b", TERCEL__APP: "{x: [1, y]}" });
    assert.deepEqual([plain.origins, plain.app], [["a", "b"], { x: [1, "y"] }]);
    assert.deepEqual((await byVariables({ TERCEL__ORIGINS: "[c, 'd,e']" })).plain.origins, ["c", "d,e"]);
    assert.deepEqual((await byVariables({ TERCEL__ORIGINS: "" })).plain.origins, []);
    assert.match(
      (await byVariables({ TERCEL__ORIGINS: "[c" })).problems.join(),
      /invalid value: expected a list or map in YAML's flow style/,
    );
  });
});

describe("--set", () => {
  test("sets keys as they are written; the last one wins", async () => {
    const { plain } = await byArguments(
      "service.port=1",
      "service.port=2",
      "service.stop-after=a=b",
      "dependencies.order-service.version=v3",
    );
    assert.deepEqual(
      [plain.service, plain.dependencies],
      [{ name: "a", port: 2, "stop-after": "a=b" }, [{ name: "order-service", version: "v3" }]],
    );
  });

  test("refuses a key that is not known, with the nearest in its own notation", async () => {
    assert.deepEqual((await byArguments("service.prot=1")).problems, [
      "--set service.prot: unknown key service.prot; did you mean service.port?",
    ]);
  });

  test("refuses what is no assignment without showing a value", async () => {
    const { problems } = argumentAssignments(["service.port", "=x", "a..b=hunter2", "service.port=1"]);
    assert.deepEqual(problems.map(problemText), [
      "invalid --set service.port: expected KEY=VALUE, such as --set service.port=8080",
      "invalid --set : expected KEY=VALUE, such as --set service.port=8080",
      "invalid --set a..b: expected KEY=VALUE, such as --set service.port=8080",
    ]);
  });
});

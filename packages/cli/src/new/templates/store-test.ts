import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `test/store.test.ts`: tests of what the handlers rely on. */
export function storeTestFile({ names, with: { database, events } }: ServicePlan): string {
  const { pascal, second, unique } = names;
  const has = { database: database !== "none", events: events !== "none", postgres: database === "postgres" };
  const hasNeeds = has.database || has.events;
  const imported = [
    has.database && "database",
    has.postgres && "defineService",
    has.events && "events",
    has.postgres && "sql",
    "UniqueViolation",
  ].filter((name) => name !== false);
  const fields = (name: string): string =>
    second === "email" ? `{ name: "${name}", email: "${name}@example.com" }` : `{ name: "${name}", description: "" }`;
  const fieldsOfName = second === "email" ? `{ name, email: \`\${name}@example.com\` }` : '{ name, description: "" }';
  const duplicate = unique === "email" ? '{ name: "b", email: "a@example.com" }' : '{ name: "a", description: "b" }';
  const change =
    unique === "email" ? '{ name: undefined, email: "a@example.com" }' : '{ name: "a", description: undefined }';
  const [context, store] = hasNeeds ? ["t", "await openStore(t)"] : ["", `create${pascal}Store()`];
  return joinLines(
    'import assert from "node:assert/strict";',
    `import { ${hasNeeds ? "type TestContext, " : ""}test } from "node:test";`,
    `import { ${imported.join(", ")} } from "@tercel/service";`,
    hasNeeds && 'import { testService } from "@tercel/service/testing";',
    `import { create${pascal}Store${hasNeeds ? `, type ${pascal}Store` : ""} } from "../src/store.ts";`,
    "",
    hasNeeds && openStore(names, has),
    `test("lists in order of the ids, after a given id", async (${context}) => {`,
    `  const store = ${store};`,
    `  for (const name of ["a", "b", "c"]) await store.create(${fieldsOfName});`,
    '  const ids = (await store.list("", 10)).map(({ id }) => id);',
    "  assert.deepEqual(ids, ids.toSorted());",
    "  assert.equal(ids.length, 3);",
    '  const [following] = await store.list(ids[0] ?? "", 1);',
    "  assert.equal(following?.id, ids[1]);",
    "});",
    "",
    `test("rejects a second one with the same ${unique}", async (${context}) => {`,
    `  const store = ${store};`,
    `  await store.create(${fields("a")});`,
    `  const { id } = await store.create(${fields("b")});`,
    `  await assert.rejects(store.create(${duplicate}), UniqueViolation);`,
    `  await assert.rejects(store.update(id, ${change}), UniqueViolation);`,
    "});",
    "",
    `test("finds nothing for an unknown id", async (${context}) => {`,
    `  const store = ${store};`,
    '  assert.equal(await store.find("none"), undefined);',
    `  assert.equal(await store.update("none", { name: "a", ${second}: undefined }), undefined);`,
    '  assert.equal(await store.delete("none"), false);',
    "});",
  );
}

interface Has {
  readonly database: boolean;
  readonly events: boolean;
  readonly postgres: boolean;
}

/** Returns a function that opens the store with what it needs. */
function openStore({ pascal, pluralSnake }: ServicePlan["names"], has: Has): string {
  const part = has.database ? "db" : "events";
  return joinLines(
    has.postgres && "// A database that the tests may empty. Without one they run on SQLite in memory.",
    has.postgres && "const url = process.env.TEST_DATABASE_URL;",
    has.postgres && "const config = url === undefined ? {} : { database: { providers: { postgres: { url } } } };",
    has.postgres && "",
    `async function openStore(t: TestContext): Promise<${pascal}Store> {`,
    `  const opened = Promise.withResolvers<${pascal}Store>();`,
    has.postgres ? "  const definition = defineService({" : "  const service = await testService({",
    "    needs: {",
    has.database && '      db: database({ migrations: new URL("../migrations/", import.meta.url) }),',
    has.events && "      events: events(),",
    "    },",
    `    ${has.postgres ? "async " : ""}routes(_router, { ${part} }) {`,
    has.postgres && `      await db.run(sql\`DELETE FROM ${pluralSnake}\`);`,
    `      opened.resolve(create${pascal}Store(${part}));`,
    "    },",
    "  });",
    has.postgres && "  const service = await testService(definition, { config });",
    "  t.after(() => service.stop());",
    "  return opened.promise;",
    "}",
  );
}

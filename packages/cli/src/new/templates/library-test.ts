import type { LibraryPlan } from "../plan/library-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `test/client.test.ts` of a library: tests of the client with a server in the same process. */
export function clientTestFile({ names }: LibraryPlan): string {
  const { snake, camel, pascal, pluralCamel, pluralPascal } = names;
  return joinLines(
    'import assert from "node:assert/strict";',
    'import { type TestContext, test } from "node:test";',
    'import { createServer } from "@tercel/grpc";',
    'import { createHealth, type Health } from "@tercel/grpc/services";',
    `import { ${pascal}Service } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    `import { connect${pluralPascal}, type ${pluralPascal}Connection } from "../src/index.ts";`,
    "",
    `async function start(t: TestContext): Promise<{ connection: ${pluralPascal}Connection; health: Health }> {`,
    "  const health = createHealth();",
    "  const server = createServer({",
    "    routes(router) {",
    `      router.service(${pascal}Service, { get${pascal}: ({ id }) => ({ ${camel}: { id, name: "first" } }) });`,
    "      health.routes(router);",
    "    },",
    "  });",
    "  const { host, port } = await server.listen({ port: 0 });",
    `  const connection = connect${pluralPascal}(\`\${host}:\${port}\`);`,
    "  t.after(async () => {",
    "    await connection.close();",
    "    await server.close();",
    "  });",
    "  return { connection, health };",
    "}",
    "",
    'test("calls the service", async (t) => {',
    "  const { connection } = await start(t);",
    `  const { ${camel} } = await connection.${pluralCamel}.get${pascal}({ id: "1" });`,
    `  assert.equal(${camel}?.name, "first");`,
    "});",
    "",
    'test("checkHealth rejects unless the service is SERVING", async (t) => {',
    "  const { connection, health } = await start(t);",
    "  await connection.checkHealth();",
    '  health.setStatus("", "NOT_SERVING");',
    "  await assert.rejects(connection.checkHealth(), /NOT_SERVING/);",
    "});",
  );
}

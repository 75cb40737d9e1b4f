import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `test/service.test.ts`: tests through the service's API. */
export function serviceTestFile({ names, with: { auth, events } }: ServicePlan): string {
  const { snake, camel, pascal, words, one, pluralCamel, pluralPascal, second, unique } = names;
  const hasAuth = auth === "jwt";
  const hasEvents = events !== "none";
  const value = (n: number): string =>
    second === "email"
      ? `{ name: "${["Ada", "Grace"][n]}", email: "${["ada", "grace"][n]}@example.com" }`
      : `{ name: "${["first", "second"][n]}", description: "the ${["first", "second"][n]} one" }`;
  const taken =
    unique === "email"
      ? '{ name: "Another", email: "ada@example.com" }'
      : '{ name: "first", description: "another one" }';
  const changed = second === "email" ? '{ name: "Ada King" }' : '{ description: "changed" }';
  const changedField = second === "email" ? "name" : "description";
  const changedValue = second === "email" ? "Ada King" : "changed";
  const keptField = second === "email" ? "email" : "name";
  const invalid = second === "email" ? '{ name: "Ada", email: "not an address" }' : '{ name: "" }';
  const withId = (rest: string): string => `{ id: ${camel}.id, ${rest.slice(2)}`;
  return joinLines(
    'import assert from "node:assert/strict";',
    hasAuth && 'import { createHmac } from "node:crypto";',
    'import { type TestContext, test } from "node:test";',
    `import type { Client${hasAuth ? ", Interceptor" : ""} } from "@connectrpc/connect";`,
    'import { Code, ConnectError } from "@tercel/grpc";',
    `import { ${hasEvents ? "type TestServiceOptions, " : ""}testService } from "@tercel/service/testing";`,
    `import { type ${pascal}, ${pascal}Service } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    `import { ${camel}Service } from "../src/service.ts";`,
    "",
    'const absent = "00000000-0000-4000-8000-000000000000";',
    "",
    hasAuth ? startWithToken(names, hasEvents) : startOpen(names, hasEvents),
    `async function create${pascal}(${pluralCamel}: Client<typeof ${pascal}Service>): Promise<${pascal}> {`,
    `  const { ${camel} } = await ${pluralCamel}.create${pascal}(${value(0)});`,
    `  assert.ok(${camel} !== undefined);`,
    `  return ${camel};`,
    "}",
    "",
    "/** Asserts that a call fails with a status. */",
    "function fails(call: Promise<unknown>, code: Code): Promise<void> {",
    "  return assert.rejects(call, (error) => ConnectError.from(error).code === code);",
    "}",
    "",
    `test("returns what was created", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  const ${camel} = await create${pascal}(${pluralCamel});`,
    `  const { ${camel}: found } = await ${pluralCamel}.get${pascal}({ id: ${camel}.id });`,
    `  assert.deepEqual(found, ${camel});`,
    "});",
    "",
    `test("changes only the fields that are set", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  const ${camel} = await create${pascal}(${pluralCamel});`,
    `  await ${pluralCamel}.update${pascal}(${withId(changed)});`,
    `  const { ${camel}: changed } = await ${pluralCamel}.get${pascal}({ id: ${camel}.id });`,
    `  assert.deepEqual([changed?.${changedField}, changed?.${keptField}], ["${changedValue}", ${camel}.${keptField}]);`,
    "});",
    "",
    `test("forgets what was deleted", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  const { id } = await create${pascal}(${pluralCamel});`,
    `  await ${pluralCamel}.get${pascal}({ id });`,
    `  await ${pluralCamel}.delete${pascal}({ id });`,
    `  await fails(${pluralCamel}.get${pascal}({ id }), Code.NotFound);`,
    `  await fails(${pluralCamel}.delete${pascal}({ id }), Code.NotFound);`,
    "});",
    "",
    `test("lists page by page", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  await create${pascal}(${pluralCamel});`,
    `  await ${pluralCamel}.create${pascal}(${value(1)});`,
    `  const first = await ${pluralCamel}.list${pluralPascal}({ pageSize: 1 });`,
    `  const second = await ${pluralCamel}.list${pluralPascal}({ pageSize: 1, pageToken: first.nextPageToken });`,
    `  const names = [...first.${pluralCamel}, ...second.${pluralCamel}].map(({ name }) => name);`,
    `  assert.deepEqual(names.sort(), [${second === "email" ? '"Ada", "Grace"' : '"first", "second"'}]);`,
    `  assert.equal(second.nextPageToken, "");`,
    "});",
    "",
    `test("sends changes to watchers until the ${words} is deleted", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  const { id } = await create${pascal}(${pluralCamel});`,
    `  const watched = ${pluralCamel}.watch${pascal}({ id })[Symbol.asyncIterator]();`,
    `  assert.equal((await watched.next()).value?.${camel}?.id, id);`,
    `  await ${pluralCamel}.update${pascal}({ id, ${changed.slice(2)});`,
    `  assert.equal((await watched.next()).value?.${camel}?.${changedField}, "${changedValue}");`,
    `  await ${pluralCamel}.delete${pascal}({ id });`,
    "  await fails(watched.next(), Code.NotFound);",
    "});",
    "",
    `test("rejects ${one} that is invalid or exists already", async (t) => {`,
    `  const ${pluralCamel} = await start(t);`,
    `  await create${pascal}(${pluralCamel});`,
    `  await fails(${pluralCamel}.create${pascal}(${invalid}), Code.InvalidArgument);`,
    `  await fails(${pluralCamel}.create${pascal}(${taken}), Code.AlreadyExists);`,
    `  await fails(${pluralCamel}.update${pascal}({ id: absent }), Code.NotFound);`,
    "});",
    hasEvents &&
      `
test("publishes an event for each new ${words}", async (t) => {
  const handled = Promise.withResolvers<unknown>();
  const onLog: TestServiceOptions["onLog"] = ({ message, id }) => {
    if (message === "${words} created") handled.resolve(id);
  };
  const { id } = await create${pascal}(await start(t, ${hasAuth ? '["admin"], ' : ""}{ onLog }));
  assert.equal(await handled.promise, id);
});`,
    hasAuth &&
      `
test("rejects callers without a token, and lets only an admin delete ${one}", async (t) => {
  const stranger = await start(t, "no token");
  await fails(stranger.get${pascal}({ id: absent }), Code.Unauthenticated);
  const reader = await start(t, []);
  await fails(reader.get${pascal}({ id: absent }), Code.NotFound);
  await fails(reader.delete${pascal}({ id: absent }), Code.PermissionDenied);
});`,
  );
}

function startOpen({ camel, pascal }: ServicePlan["names"], takesOptions: boolean): string {
  const result = `Promise<Client<typeof ${pascal}Service>>`;
  return joinLines(
    takesOptions
      ? `async function start(t: TestContext, options: TestServiceOptions = {}): ${result} {`
      : `async function start(t: TestContext): ${result} {`,
    `  const service = await testService(${camel}Service${takesOptions ? ", options" : ""});`,
    "  t.after(() => service.stop());",
    `  return service.client(${pascal}Service);`,
    "}",
  );
}

function startWithToken({ service, camel, pascal }: ServicePlan["names"], takesOptions: boolean): string {
  return joinLines(
    `const jwt = { issuer: "test", audience: "${service}", secret: "a secret that only the tests know" };`,
    "",
    "/** Starts the service, with a client that has a token with these roles, or none. */",
    "async function start(",
    "  t: TestContext,",
    '  roles: readonly string[] | "no token" = ["admin"],',
    takesOptions && "  options: TestServiceOptions = {},",
    `): Promise<Client<typeof ${pascal}Service>> {`,
    '  const interceptors = roles === "no token" ? [] : [sendToken(signToken(roles))];',
    `  const service = await testService(${camel}Service, {`,
    "    config: { security: { jwt } },",
    "    channelOptions: { interceptors },",
    takesOptions && "    ...options,",
    "  });",
    "  t.after(() => service.stop());",
    `  return service.client(${pascal}Service);`,
    "}",
    "",
    "function signToken(roles: readonly string[]): string {",
    '  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");',
    "  const expiry = Math.floor(Date.now() / 1000) + 600;",
    '  const claims = { iss: jwt.issuer, aud: jwt.audience, sub: "tester", roles, exp: expiry };',
    `  const signed = \`\${encode({ alg: "HS256", typ: "JWT", kid: "configured" })}.\${encode(claims)}\`;`,
    `  return \`\${signed}.\${createHmac("sha256", jwt.secret).update(signed).digest("base64url")}\`;`,
    "}",
    "",
    "function sendToken(token: string): Interceptor {",
    "  return (next) => (request) => {",
    `    request.header.set("authorization", \`Bearer \${token}\`);`,
    "    return next(request);",
    "  };",
    "}",
  );
}

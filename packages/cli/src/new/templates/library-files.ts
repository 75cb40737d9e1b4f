import type { LibraryPlan } from "../plan/library-plan.ts";
import { versionOf } from "../plan/package-versions.ts";
import { joinLines } from "../render/join-lines.ts";
import { afterEachChange } from "./agents.ts";

/** Returns `package.json` of a library. */
export function libraryManifest({ names, version }: LibraryPlan): string {
  const own = `^${version}`;
  const shared = ["@bufbuild/protobuf", "@bufbuild/protovalidate", "@connectrpc/connect"];
  const tools = ["@bufbuild/buf", "@types/node", "typescript"];
  const manifest = {
    name: names.service,
    version: "0.1.0",
    private: true,
    type: "module",
    engines: { node: ">=22.18" },
    exports: { ".": "./src/index.ts" },
    scripts: {
      test: 'node --test "test/**/*.test.ts"',
      check: "tsc",
      generate: "tercel generate",
      lint: "tercel lint",
    },
    dependencies: {
      ...Object.fromEntries(shared.map((name) => [name, versionOf(name)])),
      "@tercel/grpc": own,
    },
    devDependencies: {
      ...Object.fromEntries(tools.slice(0, -1).map((name) => [name, versionOf(name)])),
      tercel: own,
      typescript: versionOf("typescript"),
    },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Returns `README.md` of a library. */
export function libraryReadmeFile({ names }: LibraryPlan): string {
  const { service, snake, camel, pascal, pluralCamel, pluralPascal, pluralWords } = names;
  return joinLines(
    `# ${service}`,
    "",
    `The contract of a service that stores ${pluralWords}, and a client for programs that call it. Built with Tercel.`,
    "",
    "```ts",
    `import { connect${pluralPascal} } from "${service}";`,
    "",
    `const connection = connect${pluralPascal}("127.0.0.1:50051");`,
    "await connection.checkHealth();",
    `const { ${camel} } = await connection.${pluralCamel}.get${pascal}({ id });`,
    "await connection.close();",
    "```",
    "",
    "| file | contents |",
    "|---|---|",
    `| \`proto/${snake}/v1/${snake}.proto\` | the contract |`,
    "| `gen/` | generated code: `npm run generate` writes it |",
    "| `src/index.ts` | the client and the names of the contract |",
    "| `tercel.yaml`, `tercel.lock` | the choices of `tercel new`, which `npx tercel upgrade` reads |",
    "",
    "In a workspace, Node runs the TypeScript sources directly. Compile them before you publish the package: Node does not",
    "run TypeScript below `node_modules`.",
  );
}

/** Returns `AGENTS.md` of a library. */
export function libraryAgentsFile({ names: { service, snake } }: LibraryPlan): string {
  return joinLines(
    `# How to work on ${service}`,
    "",
    ...afterEachChange,
    `- The contract is \`proto/${snake}/v1/${snake}.proto\`. After a change run \`npm run generate\`, and commit \`gen/\`; do not edit it.`,
    "- Fields of a released .proto file keep their numbers and types; `npx tercel breaking --against main` checks this.",
    "- Node runs the TypeScript directly: no enums, no parameter properties, and imports end with `.ts`.",
  );
}

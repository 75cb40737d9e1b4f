import type { LibraryPlan } from "../plan/library-plan.ts";
import { versionOf } from "../plan/package-versions.ts";
import { joinLines } from "../render/join-lines.ts";
import { afterEachChange } from "./agents.ts";

/** `package.json` of a library. */
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

/** `README.md` of a library. */
export function libraryReadmeFile({ names }: LibraryPlan): string {
  const { service, snake, camel, pascal, pluralCamel, pluralPascal, pluralWords } = names;
  return joinLines(
    `# ${service}`,
    "",
    `The contract of a service that keeps ${pluralWords}, and a client for programs that call it. Made with Tercel.`,
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
    "| file | what it is |",
    "|---|---|",
    `| \`proto/${snake}/v1/${snake}.proto\` | the contract |`,
    "| `gen/` | code of the contract: `npm run generate` writes it |",
    "| `src/index.ts` | the client, and all names of the contract |",
    "| `tercel.yaml`, `tercel.lock` | what the package was made with: `npx tercel upgrade` goes by it |",
    "",
    "Node runs the sources as they are where the package is part of a workspace. Before you publish it, compile them: Node does not",
    "run TypeScript below `node_modules`.",
  );
}

/** `AGENTS.md` of a library. */
export function libraryAgentsFile({ names: { service, snake } }: LibraryPlan): string {
  return joinLines(
    `# How to work on ${service}`,
    "",
    ...afterEachChange,
    `- The contract is \`proto/${snake}/v1/${snake}.proto\`. After a change run \`npm run generate\`, and commit \`gen/\`; do not edit it.`,
    "- Fields of a released .proto file keep their numbers and types; `npx tercel breaking --against main` compares.",
    "- Node runs the TypeScript as it is: no enums, no parameter properties, and imports end with `.ts`.",
  );
}

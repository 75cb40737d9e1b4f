import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Lines with the checks to run after each change. */
export const afterEachChange = [
  "Run after each change:",
  "",
  "```sh",
  "npm run check    # types",
  "npm test",
  "npm run lint     # the .proto files",
  "```",
  "",
];

/** Returns `AGENTS.md`: how to work in the project, for people and coding agents. */
export function agentsFile({ names, with: { database, auth } }: ServicePlan): string {
  const { snake, pluralKebab } = names;
  return joinLines(
    `# How to work on ${names.service}`,
    "",
    ...afterEachChange,
    database === "postgres" &&
      "`TEST_DATABASE_URL=postgres://… npm test` runs the tests of the store on PostgreSQL, in a database that they may empty.",
    database === "postgres" && "",
    "## To add a method",
    "",
    `1. Declare it in \`proto/${snake}/v1/${snake}.proto\`, with rules for its request (\`buf.validate\`).`,
    "2. Run `npm run generate`. Do not edit `gen/`; commit it.",
    `3. Write the handler in \`src/${pluralKebab}.ts\` (\`npx tercel generate --stubs\` adds a stub), and its SQL or storage in \`src/store.ts\`.`,
    auth === "jwt" && "4. Add its access rule to `src/access.ts`.",
    "",
    "## Rules",
    "",
    "- Node runs the TypeScript directly: no enums, no parameter properties, and imports end with `.ts`.",
    "- Throw `ConnectError` with a gRPC status. Other errors reach the caller as INTERNAL, without their message.",
    database !== "none" && "- Never edit an applied migration: `npx tercel db new add_column` creates the next one.",
    database !== "none" && `- Values go into \`sql\` templates as \`\${value}\`, never as text.`,
    "- Fields of a released .proto file keep their numbers and types; `npx tercel breaking --against main` checks this.",
    "- Configuration is in `config/`: `npx tercel config show` lists each value and its origin. Secrets come from variables.",
  );
}

import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** What shows whether a change is right. */
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

/** `AGENTS.md`: how to work in the project, for people and for coding agents. */
export function agentsFile({ names, with: { database, auth } }: ServicePlan): string {
  const { snake, pluralKebab } = names;
  return joinLines(
    `# How to work on ${names.service}`,
    "",
    ...afterEachChange,
    database === "postgres" &&
      "`TEST_DATABASE_URL=postgres://… npm test` runs the tests of the store on PostgreSQL, in a database they may empty.",
    database === "postgres" && "",
    "## To add a method",
    "",
    `1. Declare it in \`proto/${snake}/v1/${snake}.proto\`, with rules for its request (\`buf.validate\`).`,
    "2. Run `npm run generate`. Do not edit `gen/`; commit it.",
    `3. Write the handler in \`src/${pluralKebab}.ts\` (\`npx tercel generate --stubs\` begins it), and what it stores in \`src/store.ts\`.`,
    auth === "jwt" && "4. Say in `src/access.ts` who may call it.",
    "",
    "## Rules",
    "",
    "- Node runs the TypeScript as it is: no enums, no parameter properties, and imports end with `.ts`.",
    "- Fail with `ConnectError` and a gRPC status. Other errors reach the caller as INTERNAL, without their text.",
    database !== "none" &&
      "- A migration that has been applied is not edited: `npx tercel db new add_column` writes the next one.",
    database !== "none" && `- Values go into \`sql\` templates as \`\${value}\`, never as text.`,
    "- Fields of a released .proto file keep their numbers and types; `npx tercel breaking --against main` compares.",
    "- Configuration is in `config/`: `npx tercel config show` lists each value and its origin. Secrets come from variables.",
  );
}

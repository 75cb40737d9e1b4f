import type { LibraryPlan } from "../plan/library-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `src/index.ts` of a library: the contract, and a function that connects to the service. */
export function clientFile({ names }: LibraryPlan): string {
  const { snake, pascal, pluralCamel, pluralKebab, pluralPascal, pluralWords } = names;
  return joinLines(
    'import { type Client, createClient } from "@connectrpc/connect";',
    'import { type ChannelOptions, Code, ConnectError, createChannel } from "@tercel/grpc";',
    'import { createHealthClient } from "@tercel/grpc/services";',
    `import { ${pascal}Service } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    "",
    `export * from "../gen/${snake}/v1/${snake}_pb.ts";`,
    "",
    `/** A connection to the service that stores ${pluralWords}. */`,
    `export interface ${pluralPascal}Connection {`,
    `  readonly ${pluralCamel}: Client<typeof ${pascal}Service>;`,
    "  /** Rejects unless the service reports SERVING within the timeout. */",
    "  checkHealth(timeoutMs?: number): Promise<void>;",
    "  /** Closes the connection when all calls have ended. */",
    "  close(): Promise<void>;",
    "}",
    "",
    `/** Connects to a target such as \`${pluralKebab}:50051\`. The default deadline of calls is 10 s. */`,
    `export function connect${pluralPascal}(target: string, options: ChannelOptions = {}): ${pluralPascal}Connection {`,
    "  const channel = createChannel(target, { defaultTimeoutMs: 10_000, ...options });",
    "  const health = createHealthClient(channel);",
    "  return {",
    `    ${pluralCamel}: createClient(${pascal}Service, channel),`,
    "    async checkHealth(timeoutMs = 2000) {",
    '      const status = await health.check("", { timeoutMs });',
    `      if (status !== "SERVING") throw new ConnectError(\`\${target} is \${status}\`, Code.Unavailable);`,
    "    },",
    "    close: () => channel.close(),",
    "  };",
    "}",
  );
}

import { chosenTexts, type Variable } from "../plan/provider-texts.ts";
import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `tsconfig.json`: it checks types and emits nothing, because Node runs TypeScript directly. */
export function tsconfigFile(): string {
  const options = {
    target: "es2023",
    lib: ["es2024", "esnext.disposable"],
    types: ["node"],
    module: "nodenext",
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    skipLibCheck: true,
  };
  // Lists are on one line, as formatters print them.
  const textOf = (value: unknown): string =>
    Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).join(", ")}]` : JSON.stringify(value);
  const lines = Object.entries(options).map(([name, value]) => `    "${name}": ${textOf(value)}`);
  return joinLines(
    "{",
    '  "compilerOptions": {',
    lines.join(",\n"),
    "  },",
    `  "include": ${textOf(["gen", "src", "test"])}`,
    "}",
  );
}

/** Returns `buf.yaml`. */
export function bufFile(): string {
  return joinLines(
    "version: v2",
    "modules:",
    "  - path: proto",
    "lint:",
    "  use:",
    "    - STANDARD",
    "breaking:",
    "  use:",
    "    - FILE",
  );
}

/** Returns `buf.gen.yaml`. */
export function bufGenFile(): string {
  return joinLines(
    "# Run tercel generate, which provides buf/validate/validate.proto.",
    "version: v2",
    "clean: true",
    "plugins:",
    "  - local: protoc-gen-es",
    "    out: gen",
    "    opt:",
    "      - target=ts",
    "      # Node runs TypeScript directly: imports need their extension, and enums are plain objects.",
    "      - import_extension=ts",
    "      - erasable_syntax=true",
  );
}

/** Returns `.gitignore`. */
export function gitignoreFile({ with: { database } }: ServicePlan): string {
  return joinLines("node_modules/", "dist/", database === "sqlite" && "data/", "config/local.yaml", ".env");
}

/** Returns the variables that the configuration reads outside of production. */
function variablesOf(plan: ServicePlan): Variable[] {
  return [...chosenTexts(plan).values()].flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
}

/** Returns `.env.example`, or undefined if there is nothing to set. */
export function envExampleFile(plan: ServicePlan): string | undefined {
  const variables = variablesOf(plan);
  if (variables.length === 0) return undefined;
  return joinLines(
    "# npm start reads .env. Without it, development uses these addresses.",
    ...variables.map(({ name, example }) => `${name}=${example}`),
  );
}

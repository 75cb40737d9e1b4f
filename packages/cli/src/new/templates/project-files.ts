import { chosenTexts, type Variable } from "../plan/provider-texts.ts";
import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** `tsconfig.json`: checks and writes nothing, because Node runs the files as they are. */
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
  // Lists are on one line, as formatters write them.
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

/** `buf.yaml` */
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

/** `buf.gen.yaml` */
export function bufGenFile(): string {
  return joinLines(
    "# Run tercel generate: it brings buf/validate/validate.proto along.",
    "version: v2",
    "clean: true",
    "plugins:",
    "  - local: protoc-gen-es",
    "    out: gen",
    "    opt:",
    "      - target=ts",
    "      # Node runs the files as they are: imports need their ending, and enums are plain objects.",
    "      - import_extension=ts",
    "      - erasable_syntax=true",
  );
}

/** `.gitignore` */
export function gitignoreFile({ with: { database } }: ServicePlan): string {
  return joinLines("node_modules/", "dist/", database === "sqlite" && "data/", "config/local.yaml", ".env");
}

/** What the configuration reads from the environment outside of production. */
function variablesOf(plan: ServicePlan): Variable[] {
  return [...chosenTexts(plan).values()].flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
}

/** `.env.example`, or undefined where there is nothing to set. */
export function envExampleFile(plan: ServicePlan): string | undefined {
  const variables = variablesOf(plan);
  if (variables.length === 0) return undefined;
  return joinLines(
    "# npm start reads .env. Without it, development uses these addresses.",
    ...variables.map(({ name, example }) => `${name}=${example}`),
  );
}

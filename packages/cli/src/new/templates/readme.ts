import { chosenTexts, type Variable } from "../plan/provider-texts.ts";
import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";
import { developmentTokenSecret } from "./config-files.ts";

/** Returns `README.md`. */
export function readmeFile(plan: ServicePlan): string {
  const { names, with: chosen } = plan;
  const { service, snake, pascal, pluralWords, pluralKebab, second } = names;
  const hasDatabase = chosen.database !== "none";
  const hasToken = chosen.auth === "jwt";
  const needed = [...chosenTexts(plan).values()].flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  const data = second === "email" ? "-d name=Ada -d email=ada@example.com" : "-d name=first";
  const header = hasToken ? ` -H 'authorization: Bearer \${TOKEN}'` : "";
  return joinLines(
    `# ${service}`,
    "",
    `A gRPC service that manages ${pluralWords}, built with Tercel.`,
    "",
    "```sh",
    "npm install",
    "npm test",
    "npm start",
    "```",
    ...(needed.length > 0 ? ["", neededText(needed)] : []),
    "",
    "Then call it from another terminal:",
    "",
    "```sh",
    hasToken &&
      `printf %s '${developmentTokenSecret}' | base64 > /tmp/${service}.key
export TOKEN=$(npx tercel token --key-file /tmp/${service}.key --key-id configured --audience ${service} --role admin)`,
    `npx tercel call ${snake}.v1.${pascal}Service/Create${pascal} ${data}${header}`,
    `npx tercel call ${snake}.v1.${pascal}Service/List${names.pluralPascal}${header}`,
    chosen.monitoring === "prometheus" && `curl http://127.0.0.1:${plan.ports.metrics}/metrics`,
    plan.hasGateway &&
      `curl ${hasToken ? '-H "authorization: Bearer $TOKEN" ' : ""}http://127.0.0.1:${plan.ports.grpc}/v1/${names.pluralCamel}`,
    "```",
    "",
    plan.hasGateway && `The REST API is described at <http://127.0.0.1:${plan.ports.grpc}/docs>.`,
    plan.hasGateway && "",
    "| file | contents |",
    "|---|---|",
    `| \`proto/${snake}/v1/${snake}.proto\` | the contract, with validation rules for requests |`,
    "| `gen/` | generated code: `npm run generate` writes it |",
    "| `src/service.ts` | the service: what it needs, and its handlers |",
    `| \`src/${pluralKebab}.ts\` | the handlers |`,
    `| \`src/store.ts\` | ${hasDatabase ? "all SQL" : "the data"} |`,
    hasToken && "| `src/access.ts` | access rules of the methods |",
    hasDatabase && "| `migrations/` | the database schema; each change is a new file |",
    "| `requests/` | sample calls: `npx tercel call --from FILE` |",
    "| `config/` | the configuration: defaults, and overlays for environments |",
    "| `tercel.yaml`, `tercel.lock` | the choices of `tercel new`, which `npx tercel add cache redis` and `npx tercel upgrade` read |",
    "",
    "`AGENTS.md` explains how to work on it.",
    "",
    "## In production",
    "",
    `Set ${productionVariables(needed.length > 0, hasToken)}.`,
    "",
    "| command | what it does |",
    "|---|---|",
    "| `node src/main.ts --check-config` | checks the configuration |",
    hasDatabase &&
      "| `node src/main.ts --migrate` | applies migrations; the service does not start while any are pending |",
    "| `node src/main.ts --health` | checks the health of the running service |",
  );
}

function neededText(needed: readonly Variable[]): string {
  return joinLines(
    "Start the servers that it uses first. If their addresses differ from these, copy `.env.example` to `.env` and edit it.",
    "",
    "| variable | in development |",
    "|---|---|",
    ...needed.map(({ name, example }) => `| \`${name}\` | \`${example}\` |`),
  ).trimEnd();
}

/** Lists the variables that must be set in production. */
function productionVariables(hasAddresses: boolean, hasToken: boolean): string {
  const names = ["NODE_ENV=production", ...(hasToken ? ["JWT_ISSUER", "JWT_JWKS_URL"] : []), "TLS_CERT_FILE"];
  const listed = [...names.map((name) => `\`${name}\``), ...(hasAddresses ? ["`TLS_KEY_FILE`"] : [])].join(", ");
  return `${listed} and ${hasAddresses ? "the variables above" : "`TLS_KEY_FILE`"}`;
}

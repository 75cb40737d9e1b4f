import { chosenTexts } from "../plan/provider-texts.ts";
import type { Concern, ServicePlan } from "../plan/service-plan.ts";
import { defaultPorts } from "../plan/service-ports.ts";
import { joinLines } from "../render/join-lines.ts";

const schemaLine = "# yaml-language-server: $schema=../node_modules/@tercel/service/config.schema.json";
/** Signs tokens in development; `tercel token` uses the same issuer. */
export const developmentTokenSecret = "for this machine only, not a secret";

/** Returns `config/default.yaml`. */
export function defaultConfig(plan: ServicePlan): string {
  const isOnOwnPort = plan.ports.grpc !== defaultPorts.grpc;
  return joinLines(
    schemaLine,
    "# For every environment. config/<environment>.yaml, variables such as TERCEL__SERVICE__PORT, and --set override it.",
    "service:",
    `  name: ${plan.names.service}`,
    `  port: ${plan.ports.grpc}${isOnOwnPort ? " # sibling services use the ports before it" : ""}`,
    plan.hasGateway &&
      `
communication:
  providers:
    http: {} # REST, Connect and gRPC-Web, on the port of gRPC; in development with /docs`,
    plan.with.auth === "jwt" &&
      `
security:
  jwt:
    issuer: \${JWT_ISSUER}
    jwks_url: \${JWT_JWKS_URL} # URL of the issuer's public keys`,
    ...sections(plan, "base"),
  );
}

/** Returns `config/development.yaml`. */
export function developmentConfig(plan: ServicePlan): string {
  return joinLines(
    schemaLine,
    "# For this machine, unless TERCEL_ENV or NODE_ENV names another environment.",
    "logging:",
    "  providers:",
    "    console:",
    "      level: debug",
    plan.with.auth === "jwt" &&
      `
security:
  jwt:
    issuer: tercel-development
    jwks_url: # no value: the tokens of tercel token, signed with the secret below
    secret: ${developmentTokenSecret}`,
    ...sections(plan, "development"),
  );
}

/** Returns `config/production.yaml`. */
export function productionConfig(): string {
  return joinLines(
    schemaLine,
    "# Outside of development, logs are JSON, reflection is off and cleartext is refused. Where a service mesh encrypts calls,",
    "# set service.insecure: true instead of a certificate.",
    "communication:",
    "  providers:",
    "    grpc:",
    "      tls:",
    `        cert_file: \${TLS_CERT_FILE}`,
    `        key_file: \${TLS_KEY_FILE}`,
  );
}

function sections(plan: ServicePlan, file: "base" | "development"): string[] {
  return [...chosenTexts(plan)].flatMap(([concern, texts]) => {
    const entry = texts[file];
    return entry === undefined ? [] : ["", ...section(concern, entry)];
  });
}

function section(concern: Concern, entry: readonly string[]): string[] {
  return [`${concern}:`, "  providers:", ...entry.map((line) => `    ${line}`)];
}

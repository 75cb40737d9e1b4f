import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServiceConfig } from "@tercel/service";
import { createSecrets, developmentIssuer, developmentTokenPurpose } from "@tercel/service/internal";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { findServices, type ServiceProject } from "./find-services.ts";
import { loadFolderConfig } from "./service-config.ts";
import { StateFolder, stateFolderName } from "./state-folder.ts";

/** Key and claims of tokens that a service accepts in development. */
export interface DevelopmentSigning {
  readonly secret: Uint8Array;
  readonly keyId: string;
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Returns the shared key in the service's configuration, else the one derived from its secret, or from `given` if it configures none.
 * Undefined if an issuer publishes the keys.
 */
export function developmentSigning(config: ServiceConfig<unknown>, given: string): DevelopmentSigning | undefined {
  const { security, service } = config;
  const jwt = security.jwt?.enabled === true ? security.jwt : undefined;
  if (jwt === undefined) {
    const secret = security.secret ?? given;
    const secrets = createSecrets({ secret, environment: { name: "development", isProduction: false } });
    return {
      secret: secrets(developmentTokenPurpose),
      keyId: "development",
      issuer: developmentIssuer,
      audience: service.name,
    };
  }
  if (jwt.secret === undefined) return undefined;
  return {
    secret: Buffer.from(jwt.secret, "utf8"),
    keyId: "configured",
    issuer: jwt.issuer,
    audience: jwt.audience ?? service.name,
  };
}

/** Key and claims of tokens for all services of a folder. */
export interface FolderSigning extends Omit<DevelopmentSigning, "audience"> {
  readonly audience: readonly string[];
}

/**
 * Returns the signing of tokens for the services that `tercel dev` runs in a folder: for all that accept the same key as the first. Undefined
 * if the folder has no service, or an issuer publishes the keys.
 */
export async function signingInFolder(
  context: Pick<CommandContext, "cwd" | "env">,
): Promise<FolderSigning | undefined> {
  const projects = servicesIn(context.cwd);
  if (projects.length === 0) return undefined;
  const secret = new StateFolder(stateRoot(context.cwd)).secret();
  const signings: DevelopmentSigning[] = [];
  for (const { folder } of projects) {
    const { value } = await loadFolderConfig({ folder, envFile: undefined, context }, []);
    const signing = developmentSigning(value, secret);
    if (signing !== undefined) signings.push(signing);
  }
  const [first] = signings;
  if (first === undefined) return undefined;
  const alike = signings.filter((one) => one.issuer === first.issuer && Buffer.compare(one.secret, first.secret) === 0);
  return { ...first, audience: alike.map(({ audience }) => audience) };
}

function servicesIn(folder: string): readonly ServiceProject[] {
  try {
    return findServices(folder);
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === exitCodes.notFound) return [];
    throw error;
  }
}

/** Returns the folder in which `tercel dev` was started: this one or one above it. */
function stateRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, stateFolderName))) return at;
    if (dirname(at) === at) return folder;
  }
}

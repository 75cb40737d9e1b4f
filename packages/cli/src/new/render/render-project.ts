import { formatLock, lockFile } from "../../project/lock-file.ts";
import { recordFile } from "../../project/project-record.ts";
import type { ProjectPlan } from "../plan/project-plan.ts";
import type { ServicePlan } from "../plan/service-plan.ts";
import { accessFile } from "../templates/access.ts";
import { agentsFile } from "../templates/agents.ts";
import { defaultConfig, developmentConfig, productionConfig } from "../templates/config-files.ts";
import { definitionFile } from "../templates/definition.ts";
import { handlersFile } from "../templates/handlers.ts";
import { mainFile } from "../templates/main.ts";
import { memoryStoreFile } from "../templates/memory-store.ts";
import { migrationFile } from "../templates/migration.ts";
import { packageManifest } from "../templates/package-manifest.ts";
import { bufFile, bufGenFile, envExampleFile, gitignoreFile, tsconfigFile } from "../templates/project-files.ts";
import { projectRecord } from "../templates/project-record.ts";
import { protoFile } from "../templates/proto.ts";
import { readmeFile } from "../templates/readme.ts";
import { requestPath, savedRequestFile } from "../templates/saved-request.ts";
import { serviceTestFile } from "../templates/service-test.ts";
import { storeFile } from "../templates/store.ts";
import { storeTestFile } from "../templates/store-test.ts";
import { renderManagedLibrary, renderOwnedLibrary } from "./render-library.ts";
import { renderManagedWorkspace, renderOwnedWorkspace } from "./render-workspace.ts";

/** Renders all files of a project except those in gen/, by path. */
export function renderProject(plan: ProjectPlan): ReadonlyMap<string, string> {
  const managed = renderManaged(plan);
  const files = new Map([
    ...renderOwned(plan),
    ...managed,
    [recordFile, projectRecord(plan, managed)],
    [lockFile, formatLock(managed)],
  ]);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Renders the files that Tercel manages: `tercel upgrade` and `tercel add` change them. */
export function renderManaged(plan: ProjectPlan): ReadonlyMap<string, string> {
  if (plan.type === "workspace") return renderManagedWorkspace(plan);
  if (plan.type === "library") return renderManagedLibrary(plan);
  return new Map([
    ["package.json", packageManifest(plan)],
    ["tsconfig.json", tsconfigFile()],
  ]);
}

/** Renders the files that are written once and then belong to the project. */
export function renderOwned(plan: ProjectPlan): ReadonlyMap<string, string> {
  if (plan.type === "workspace") return renderOwnedWorkspace(plan);
  return plan.type === "library" ? renderOwnedLibrary(plan) : renderOwnedService(plan);
}

function renderOwnedService(plan: ServicePlan): ReadonlyMap<string, string> {
  const { names, with: chosen } = plan;
  const hasDatabase = chosen.database !== "none";
  const envExample = envExampleFile(plan);
  const files = new Map([
    ["README.md", readmeFile(plan)],
    ["AGENTS.md", agentsFile(plan)],
    ["buf.yaml", bufFile()],
    ["buf.gen.yaml", bufGenFile()],
    [".gitignore", gitignoreFile(plan)],
    [`proto/${names.snake}/v1/${names.snake}.proto`, protoFile({ ...plan, hasEvents: chosen.events !== "none" })],
    ["config/default.yaml", defaultConfig(plan)],
    ["config/development.yaml", developmentConfig(plan)],
    ["config/production.yaml", productionConfig()],
    [requestPath(names), savedRequestFile(plan)],
    ["src/main.ts", mainFile(plan)],
    ["src/service.ts", definitionFile(plan)],
    [`src/${names.pluralKebab}.ts`, handlersFile(plan)],
    ["src/store.ts", hasDatabase ? storeFile(plan) : memoryStoreFile(plan)],
    ["test/service.test.ts", serviceTestFile(plan)],
    ["test/store.test.ts", storeTestFile(plan)],
  ]);
  if (envExample !== undefined) files.set(".env.example", envExample);
  if (hasDatabase) files.set(`migrations/0001_${names.pluralSnake}.sql`, migrationFile(plan));
  if (chosen.auth === "jwt") files.set("src/access.ts", accessFile(plan));
  return files;
}

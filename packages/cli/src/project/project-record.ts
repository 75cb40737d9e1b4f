import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isScalar, type Node, parseDocument } from "yaml";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { fileErrorReason } from "../frame/file-error.ts";
import { suggestOneOf } from "../frame/suggestion.ts";
import { type JsonText, jsonFailure } from "../json/json-text.ts";
import type { ProjectPlan } from "../new/plan/project-plan.ts";
import { libraryEndings, serviceNames } from "../new/plan/service-names.ts";
import { type Choices, type Concern, choices, concerns } from "../new/plan/service-plan.ts";
import { defaultPorts, portsFor, type ServicePorts } from "../new/plan/service-ports.ts";
import { packageManagers } from "../new/plan/workspace-plan.ts";
import { sha256Of } from "./sha256.ts";

export const recordFile = "tercel.yaml";

/** The contents of a project's `tercel.yaml`. */
export interface ProjectRecord {
  /** The plan that Tercel rendered; its version is that of the template. */
  readonly plan: ProjectPlan;
  /** The hash of the last text that Tercel wrote of each managed file, by path. */
  readonly managed: ReadonlyMap<string, string>;
  /** The YAML document, which is changed and written back with the user's comments. */
  readonly document: Document;
}

/**
 * Reads the record of the project in a folder.
 *
 * @throws CommandFailure when it does not exist, or with the position of an error
 */
export function readRecord(folder: string): ProjectRecord {
  const source = readRecordFile(folder);
  const text: JsonText = { text: source, source: recordFile, line: 1, column: 1 };
  const document = parseDocument(source);
  const [error] = document.errors;
  if (error !== undefined) throw jsonFailure(text, error.pos[0], error.message.split(" at line")[0] ?? error.message);
  const fail: Fail = (path, message) => {
    const node = document.getIn(path, true) as Node | undefined;
    throw jsonFailure(text, node?.range?.[0] ?? 0, message);
  };
  const textAt = (path: readonly string[]): string => {
    const value = document.getIn(path);
    return typeof value === "string" || typeof value === "number"
      ? String(value)
      : fail(path, `missing ${path.join(".")}`);
  };
  const version = textAt(["version"]);
  if (version !== "1") fail(["version"], `unsupported version ${version}: expected 1; use npx tercel@latest`);
  const template = textAt(["template"]);
  if (!/^\d+\.\d+\.\d+/.test(template))
    fail(["template"], `invalid template ${JSON.stringify(template)}: expected a version of tercel`);
  const plan = readPlan(document, { name: textAt(["name"]), type: textAt(["type"]), version: template }, fail);
  return { plan, managed: readManaged(document), document };
}

interface PlanHead {
  readonly name: string;
  readonly type: string;
  readonly version: string;
}

function readPlan(document: Document, { name, type, version }: PlanHead, fail: Fail): ProjectPlan {
  if (type === "workspace") {
    const manager = packageManagers.find((one) => one === document.get("manager"));
    return manager === undefined
      ? fail(["manager"], `invalid manager: expected one of ${packageManagers.join(", ")}`)
      : { type, name, manager, version };
  }
  if (type === "library") return { type, names: serviceNames(name, libraryEndings), version };
  if (type !== "grpc")
    return fail(["type"], `invalid type ${JSON.stringify(type)}: expected one of grpc, library, workspace`);
  return {
    type,
    names: serviceNames(name),
    with: readChoices(document, fail),
    version,
    hasGateway: document.get("gateway") === true,
    ports: readPorts(document, fail),
  };
}

type Fail = (path: readonly string[], message: string) => never;

function readChoices(document: Document, fail: Fail): Choices {
  const entries = concerns.map((concern) => {
    const known: readonly string[] = choices[concern];
    const value = document.getIn(["with", concern]);
    // A concern that older templates do not have.
    if (value === undefined) return [concern, "none"] as const;
    if (!known.includes(String(value))) {
      const hint = suggestOneOf(String(value), known);
      fail(["with", concern], `invalid with.${concern} ${JSON.stringify(value)}: ${hint}`);
    }
    return [concern, String(value)] as const;
  });
  return Object.fromEntries(entries) as unknown as Choices;
}

function readPorts(document: Document, fail: Fail): ServicePorts {
  const port = document.get("port") ?? defaultPorts.grpc;
  const isPort = typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
  if (!isPort) return fail(["port"], `invalid port ${JSON.stringify(port)}: expected a number from 1 to 65535`);
  return portsFor(port, document.get("hosts_registry") !== false);
}

function readManaged(document: Document): ReadonlyMap<string, string> {
  const node = document.get("managed");
  if (!isMap(node)) return new Map();
  return new Map(
    node.items.flatMap(({ key, value }) =>
      isScalar(key) && isScalar(value) ? [[String(key.value), String(value.value)]] : [],
    ),
  );
}

function readRecordFile(folder: string): string {
  try {
    return readFileSync(join(folder, recordFile), "utf8");
  } catch (error) {
    throw new CommandFailure(exitCodes.notFound, `cannot read ${recordFile}: ${fileErrorReason(error)}`, {
      hint: "run this command in the folder of a project that tercel new created",
      cause: error,
    });
  }
}

/** The changes of a record. */
export interface RecordChanges {
  readonly template: string;
  readonly with?: Partial<Record<Concern, string>>;
  readonly gateway?: boolean;
  readonly hostsRegistry?: boolean;
  /** The texts that Tercel now writes to its managed files. */
  readonly managed: ReadonlyMap<string, string>;
}

/** Returns the text of `tercel.yaml` after a change. Other content, such as comments, is kept. */
export function changedRecord({ document }: ProjectRecord, changes: RecordChanges): string {
  const changed = document.clone() as Document;
  changed.setIn(["template"], changes.template);
  for (const [concern, type] of Object.entries(changes.with ?? {})) changed.setIn(["with", concern], type);
  if (changes.gateway !== undefined) changed.set("gateway", changes.gateway);
  // The default is true.
  if (changes.hostsRegistry === false) changed.set("hosts_registry", false);
  changed.set("managed", Object.fromEntries([...changes.managed].map(([path, text]) => [path, sha256Of(text)])));
  // The writer would break a line at a hash.
  return changed.toString({ lineWidth: 0 });
}

import { nearestName } from "@tercel/grpc/internal";
import { type CommandContext, isInteractive } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { choosePorts } from "../new/choose-ports.ts";
import { type Choices, type Concern, choices, type ServicePlan } from "../new/plan/service-plan.ts";
import { renderManaged, renderOwned } from "../new/render/render-project.ts";
import { ownVersion } from "../version.ts";
import { formatLock, lockFile } from "./lock-file.ts";
import { type FileChange, planFile } from "./managed-file.ts";
import { planManaged, readProjectFile } from "./project-files.ts";
import { changedRecord, type RecordChanges, readRecord, recordFile } from "./project-record.ts";
import { replaceFiles } from "./replace-files.ts";
import { isWritten, printDiffs, refuseConflicts, reportChanges, reportInstall } from "./report-changes.ts";

export interface AddOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** `tercel add`: gives a project another provider. Files of the caller's own are changed only if the caller agrees. */
export async function addConcern(
  concern: Concern | typeof gatewayName,
  typeText: string | undefined,
  options: AddOptions,
  context: CommandContext,
): Promise<void> {
  const { cwd, stderr } = context;
  const record = readRecord(cwd);
  const { plan: before } = record;
  if (before.type !== "grpc") {
    throw new CommandFailure(exitCodes.failed, `this is a ${before.type}, not a service`, {
      hint: "run it in the folder of a service",
    });
  }
  const addition = await readAddition(concern, typeText, context);
  const { name } = addition;
  if (addition.isThere(before)) {
    await stderr.line(`the project has ${name} already; nothing changed`);
    return;
  }
  const version = ownVersion();
  if (before.version !== version) {
    throw new CommandFailure(exitCodes.failed, `the project is of tercel ${before.version}, and this is ${version}`, {
      hint: "run tercel upgrade first",
    });
  }
  const after = addition.addTo(before);
  const now = renderManaged(after);
  const managed = planManaged(cwd, record, { last: renderManaged(before), now });
  const { possible, left } = planOwned(cwd, before, after);
  const newRecord = changedRecord(record, {
    template: version,
    managed: now,
    hostsRegistry: after.ports.hostsRegistry,
    ...addition.recorded,
  });
  const changes = [
    ...managed,
    ...possible,
    ownFile(cwd, recordFile, newRecord),
    ownFile(cwd, lockFile, formatLock(now)),
  ].filter(isWritten);
  if (options.dryRun === true) return printDiffs(changes, context);

  await requireAgreement(changes, possible, options, context);
  replaceFiles(cwd, new Map(changes.map(({ path, after: text }) => [path, text])));
  await reportChanges([...managed, ...possible], context);
  await stderr.line(`the project has ${name} now`);
  await reportInstall(changes, context);
  await printDiffs(left, context);
  refuseConflicts(managed);
  if (left.length > 0) throw leftToCaller(left);
}

function ownFile(folder: string, path: string, text: string): FileChange {
  return { path, outcome: "updated", before: readProjectFile(folder, path), after: text };
}

interface OwnedChanges {
  readonly possible: readonly FileChange[];
  /** What the template changes where the caller has changed the same lines, as differences of the template. */
  readonly left: readonly FileChange[];
}

/** What the new plan changes in files that are the caller's own, on top of what the caller has made of them. */
function planOwned(folder: string, before: ServicePlan, after: ServicePlan): OwnedChanges {
  const [old, now] = [renderOwned(before), renderOwned(after)];
  const possible: FileChange[] = [];
  const left: FileChange[] = [];
  for (const [path, theirs] of now) {
    const base = old.get(path);
    if (base === theirs) continue;
    const mine = readProjectFile(folder, path);
    const isMigration = path.startsWith("migrations/") && mine !== undefined;
    const change = isMigration
      ? planMigration(folder, path, theirs, after.with.database)
      : planFile(path, { base, mine, theirs }, { mine: "yours", theirs: "tercel add" });
    if (change.outcome === "conflict") left.push({ path, outcome: "updated", before: base, after: theirs });
    else possible.push(change);
  }
  return { possible: possible.filter(isWritten), left };
}

/** One that may have been applied must not change: that of another database gets a name of its own, which goes before it. */
function planMigration(folder: string, path: string, theirs: string, database: string): FileChange {
  const variant = path.replace(/\.sql$/, `.${database}.sql`);
  const mine = readProjectFile(folder, variant);
  return { path: variant, outcome: "created", before: mine, after: mine ?? theirs };
}

/**
 * Makes sure that the caller's own files may be changed. Files that are not there yet need no permission.
 *
 * @throws CommandFailure unless they may; the patch has been printed then
 */
async function requireAgreement(
  changes: readonly FileChange[],
  possible: readonly FileChange[],
  options: AddOptions,
  context: CommandContext,
): Promise<void> {
  const asked = possible.filter(({ before }) => before !== undefined);
  if (asked.length === 0 || options.yes === true) return;
  const paths = asked.map(({ path }) => path);
  if (isInteractive(context)) {
    await printDiffs(asked, context);
    const { askToChange } = await import("./ask-to-change.ts");
    if (await askToChange(paths, context)) return;
    throw new CommandFailure(exitCodes.failed, "nothing was changed");
  }
  await printDiffs(changes, context);
  throw new CommandFailure(
    exitCodes.partial,
    `nothing was changed, because these files are yours: ${paths.join(", ")}`,
    {
      hint: "add --yes, or apply the patch that was printed: git apply",
      json: { files: paths },
    },
  );
}

/** Exit code 3: the rest is done. */
function leftToCaller(left: readonly FileChange[]): CommandFailure {
  const files = left.map(({ path }) => path);
  return new CommandFailure(
    exitCodes.partial,
    `left to you, because you have changed the same lines: ${files.join(", ")}`,
    {
      hint: "standard output shows what tercel would have changed there",
      json: { files },
    },
  );
}

/** What is added. */
interface Addition {
  /** `the cache redis` */
  readonly name: string;
  isThere(plan: ServicePlan): boolean;
  addTo(plan: ServicePlan): ServicePlan;
  readonly recorded: Pick<RecordChanges, "with" | "gateway">;
}

/** What can be added besides the concerns, and has no types. */
const gatewayName = "gateway";

const gateway: Addition = {
  name: "the gateway",
  isThere: ({ hasGateway }) => hasGateway,
  addTo: (plan) => ({ ...plan, hasGateway: true }),
  recorded: { gateway: true },
};

async function readAddition(
  concern: Concern | typeof gatewayName,
  typeText: string | undefined,
  context: CommandContext,
): Promise<Addition> {
  if (concern === gatewayName) {
    if (typeText !== undefined) throw usageFailure("the gateway has no types: tercel add gateway");
    return gateway;
  }
  const type = typeText === undefined ? await chooseType(concern, context) : readType(concern, typeText);
  return {
    name: `the ${concern} ${type}`,
    isThere: ({ with: chosen }) => chosen[concern] === type,
    addTo: (plan) => ({
      ...plan,
      with: { ...plan.with, [concern]: type } as Choices,
      // A service next to this one may host the registry already.
      ...(type === "embedded" && { ports: choosePorts(context.cwd, true, plan.ports.grpc) }),
    }),
    recorded: { with: { [concern]: type } },
  };
}

/** What a project can be given. */
function typesOf(concern: Concern): string[] {
  return choices[concern].filter((type) => type !== "none");
}

function readType(concern: Concern, text: string): string {
  const known = typesOf(concern);
  if (known.includes(text)) return text;
  if (text === "none")
    throw usageFailure(`tercel add adds; take the ${concern} out of the code and the configuration by hand`);
  const nearest = nearestName(text, known);
  throw usageFailure(
    `unknown ${concern} ${JSON.stringify(text)}; ${nearest === undefined ? `known are ${known.join(", ")}` : `did you mean ${nearest}?`}`,
  );
}

async function chooseType(concern: Concern, context: CommandContext): Promise<string> {
  const [only = "", second] = typesOf(concern);
  if (second === undefined) return only;
  if (!isInteractive(context)) {
    throw usageFailure(
      `no type was given: choose one of ${typesOf(concern).join(", ")}`,
      `tercel add ${concern} ${only}`,
    );
  }
  const { askChoice } = await import("../new/ask-choices.ts");
  return askChoice(concern, typesOf(concern), context);
}

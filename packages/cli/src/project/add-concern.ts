import { type CommandContext, isInteractive } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { suggestOneOf } from "../frame/suggestion.ts";
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

/** `tercel add`: adds a provider to a project. The user's own files change only if the user agrees. */
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
    throw new CommandFailure(exitCodes.failed, `cannot add a concern to a ${before.type}`, {
      hint: "run this command in the folder of a service",
    });
  }
  const addition = await readAddition(concern, typeText, context);
  const { name } = addition;
  if (addition.isThere(before)) {
    await stderr.line(`nothing to do: the project already has ${name}`);
    return;
  }
  const version = ownVersion();
  if (before.version !== version) {
    throw new CommandFailure(
      exitCodes.failed,
      `the project was written by tercel ${before.version}; this is tercel ${version}`,
      {
        hint: "run tercel upgrade first",
      },
    );
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
  await stderr.line(`added ${name}`);
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
  /** Changes of the template to lines that the user has changed too. */
  readonly left: readonly FileChange[];
}

/** Plans the changes to the user's own files, merged with the user's changes. */
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

/** Plans a migration. One that may have been applied must not change, so that of another database gets a different name, which takes precedence. */
function planMigration(folder: string, path: string, theirs: string, database: string): FileChange {
  const variant = path.replace(/\.sql$/, `.${database}.sql`);
  const mine = readProjectFile(folder, variant);
  return { path: variant, outcome: "created", before: mine, after: mine ?? theirs };
}

/**
 * Asks whether the user's own files may be changed. New files need no permission.
 *
 * @throws CommandFailure unless the user agrees; the patch has been printed then
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
    throw new CommandFailure(exitCodes.failed, "not confirmed; nothing was changed");
  }
  await printDiffs(changes, context);
  throw new CommandFailure(
    exitCodes.partial,
    `nothing was changed: confirmation is required for your own files ${paths.join(", ")}`,
    {
      hint: "add --yes, or apply the printed patch with git apply",
      json: { files: paths },
    },
  );
}

/** Creates the failure for changes that are left to the user, with exit code 3: all others were made. */
function leftToCaller(left: readonly FileChange[]): CommandFailure {
  const files = left.map(({ path }) => path);
  return new CommandFailure(
    exitCodes.partial,
    `not changed, because you have edited the same lines: ${files.join(", ")}`,
    {
      hint: "standard output shows the changes to make there",
      json: { files },
    },
  );
}

/** An addition to a project. */
interface Addition {
  /** `the cache redis` */
  readonly name: string;
  isThere(plan: ServicePlan): boolean;
  addTo(plan: ServicePlan): ServicePlan;
  readonly recorded: Pick<RecordChanges, "with" | "gateway">;
}

/** The addition that is not a concern and has no types. */
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
    if (typeText !== undefined)
      throw usageFailure("too many arguments: the gateway has no types", "tercel add gateway");
    return gateway;
  }
  const type = typeText === undefined ? await chooseType(concern, context) : readType(concern, typeText);
  return {
    name: `the ${concern} ${type}`,
    isThere: ({ with: chosen }) => chosen[concern] === type,
    addTo: (plan) => ({
      ...plan,
      with: { ...plan.with, [concern]: type } as Choices,
      // A sibling service may host the registry already.
      ...(type === "embedded" && { ports: choosePorts(context.cwd, true, plan.ports.grpc) }),
    }),
    recorded: { with: { [concern]: type } },
  };
}

/** Returns the types of a concern that can be added. */
function typesOf(concern: Concern): string[] {
  return choices[concern].filter((type) => type !== "none");
}

function readType(concern: Concern, text: string): string {
  const known = typesOf(concern);
  if (known.includes(text)) return text;
  if (text === "none")
    throw usageFailure(`tercel add cannot remove: delete the ${concern} from the code and the configuration by hand`);
  throw usageFailure(`unknown ${concern} ${JSON.stringify(text)}: ${suggestOneOf(text, known)}`);
}

async function chooseType(concern: Concern, context: CommandContext): Promise<string> {
  const [only = "", second] = typesOf(concern);
  if (second === undefined) return only;
  if (!isInteractive(context)) {
    throw usageFailure(`missing type: expected one of ${typesOf(concern).join(", ")}`, `tercel add ${concern} ${only}`);
  }
  const { askChoice } = await import("../new/ask-choices.ts");
  return askChoice(concern, typesOf(concern), context);
}

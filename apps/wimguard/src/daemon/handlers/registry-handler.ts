import { clone, create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask } from "@tercel/aip";
import type { StoredBackup } from "../../catalog/backup-store.ts";
import type { RegisteredDestination, RegisteredSource } from "../../catalog/registered-items.ts";
import { describeWarnings } from "../../catalog/warning-list.ts";
import { chooseEngine } from "../../engine/choose-engine.ts";
import type { EngineName } from "../../engine/compression.ts";
import { engineNameOf, toEngine } from "../../engine/engine-enum.ts";
import { engineFacts } from "../../engine/engine-facts.ts";
import { engines } from "../../engine/engines.ts";
import { isRepository } from "../../engine/restic/repository/repository-location.ts";
import { fail } from "../../failure/failure.ts";
import { toConnectError } from "../../failure/to-connect-error.ts";
import { toFailure } from "../../failure/to-failure.ts";
import { freeSpaceOf } from "../../files/free-space.ts";
import { Engine, type FileChunk, type Run, RunKind, RunState } from "../../gen/wimguard/v1/common_pb.ts";
import {
  type Destination,
  DestinationSchema,
  type RegistryService,
  type Source,
  SourceSchema,
} from "../../gen/wimguard/v1/registry_pb.ts";
import type { StartedImport } from "../../registry/import-archive.ts";
import { type ItemInput, type ItemService, itemEtag } from "../../registry/item-service.ts";
import { receiveUpload, type UploadChunk, type UploadParts } from "../../registry/receive-upload.ts";
import { testDestination } from "../../registry/test-destination.ts";
import { testRepository } from "../../registry/test-repository.ts";
import { followRun } from "../../runs/follow-run.ts";
import type { LiveRun, RunRegistry } from "../../runs/run-registry.ts";
import type { StartingRequest } from "../../runs/run-store.ts";
import type { StartedRequests } from "../../runs/start-once.ts";
import { answering, failing } from "./failing.ts";
import { toCount, toProgress, toRun, toRunMessage } from "./run-message.ts";
import { streamJob } from "./stream-job.ts";

export interface RegistryHandlerParts extends UploadParts {
  readonly sources: ItemService<RegisteredSource>;
  readonly destinations: ItemService<RegisteredDestination>;
  startImport(location: string, startedBy: StartingRequest | undefined): Promise<StartedImport>;
  readonly runs: RunRegistry;
  readonly requests: StartedRequests;
}

/** Creates the handlers of wimguard.v1.RegistryService. */
export function createRegistryHandler(parts: RegistryHandlerParts): ServiceImpl<typeof RegistryService> {
  const { sources, destinations, files, runs, requests, startImport } = parts;
  return {
    createSource: ({ source, requestId }) =>
      answering(() => toSource(sources.create(fromSource(required(source, "source")), requestId))),
    getSource: ({ uuid }) => answering(() => toSource(sources.get(uuid))),
    listSources: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = sources.list(request);
        return { sources: items.map(toSource), nextPageToken, totalSize: BigInt(total) };
      }),
    updateSource: ({ source, updateMask }) =>
      answering(() => {
        const change = required(source, "source");
        const updated = clone(SourceSchema, toSource(sources.get(change.uuid)));
        applyFieldMask(SourceSchema, updated, change, updateMask, { outputOnly: ["uuid", "etag"] });
        return toSource(sources.update(change.uuid, change.etag, fromSource(updated)));
      }),
    deleteSource: ({ uuid, etag }) =>
      answering(() => {
        sources.delete(uuid, etag);
        return {};
      }),

    createDestination: ({ destination, requestId, validateOnly }) =>
      answering(() => {
        const input = fromDestination(required(destination, "destination"));
        return toDestination(destinations.create(input, requestId, validateOnly));
      }),
    getDestination: ({ uuid }) => answering(() => toDestination(destinations.get(uuid))),
    listDestinations: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = destinations.list(request);
        return { destinations: items.map(toDestination), nextPageToken, totalSize: BigInt(total) };
      }),
    updateDestination: ({ destination, updateMask }) =>
      answering(() => {
        const change = required(destination, "destination");
        const updated = clone(DestinationSchema, toDestination(destinations.get(change.uuid)));
        applyFieldMask(DestinationSchema, updated, change, updateMask, { outputOnly: ["uuid", "etag", "free_bytes"] });
        return toDestination(destinations.update(change.uuid, change.etag, fromDestination(updated)));
      }),
    deleteDestination: ({ uuid, etag }) =>
      answering(() => {
        destinations.delete(uuid, etag);
        return {};
      }),
    testDestination: ({ uuid }, { signal }) =>
      failing(async () => {
        const { engine, url: repository, secretRef } = destinations.get(uuid);
        const steps =
          engine === "restic"
            ? await testRepository({ repository, secretRef }, signal)
            : await testDestination(files, repository);
        return { steps: steps.map(({ tookMs, ...step }) => ({ ...step, took: durationFromMs(Math.round(tookMs)) })) };
      }),

    listEngines: async () => ({
      engines: await Promise.all(
        Object.values(engines).map(async (engine) => {
          const found = await engine.probe().catch(() => undefined);
          const { keeps, lacks, installHint, compressions } = engineFacts[engine.name];
          return {
            engine: toEngine(engine.name),
            available: found !== undefined,
            version: found?.version ?? "",
            keeps: [...keeps],
            lacks: [...lacks],
            installHint,
            compressions: [...compressions],
          };
        }),
      ),
    }),

    uploadFile: (chunks) =>
      failing(async () => {
        const { size, sha256, location } = await receiveUpload(toUploadChunks(chunks), parts);
        return { success: true, size: BigInt(size), sha256, location };
      }),

    async *importArchive({ location, requestId }, { signal }) {
      const { run, started } = await failing(() =>
        requests.startOnce(requestId, { import: location }, (startedBy) => startImport(location, startedBy)),
      );
      if (started !== undefined) yield* streamImport(started, signal);
      else yield* followImport(followRun(runs, run?.uuid ?? "", signal), signal);
    },
  };
}

async function* toUploadChunks(chunks: AsyncIterable<FileChunk>): AsyncGenerator<UploadChunk> {
  for await (const { name, offset, data, sha256 } of chunks) yield { name, offset: Number(offset), data, sha256 };
}

/** Yields the states of an import that another call started. */
async function* followImport(states: AsyncIterable<LiveRun>, signal: AbortSignal): AsyncGenerator<Run> {
  for await (const run of states) {
    yield toRunMessage(run);
    if (run.failure !== undefined) throw toConnectError(run.failure);
  }
  if (signal.aborted) throw signal.reason;
}

async function* streamImport({ uuid, startedAtMs, ...job }: StartedImport, signal: AbortSignal): AsyncGenerator<Run> {
  const run = { uuid, kind: RunKind.IMPORT, subjectUuid: uuid, createdAtMs: startedAtMs };
  yield* streamJob<StoredBackup, Run>(job, signal, {
    started: toRun({ ...run, state: RunState.QUEUED }),
    progress: (progress) => toRun({ ...run, state: RunState.RUNNING, progress: toProgress(progress) }),
    completed: ({ size, files, warnings }) => [
      toRun({
        ...run,
        state: RunState.COMPLETED,
        endedAtMs: Date.now(),
        progress: toCount({ bytes: size, files }),
        message: describeWarnings(warnings),
      }),
    ],
    failed: (_, error) => toRun({ ...run, state: RunState.FAILED, endedAtMs: Date.now(), failure: toFailure(error) }),
  });
}

function required<Item>(item: Item | undefined, field: string): Item {
  return item ?? fail({ reason: "FIELD_REQUIRED", field, message: `${field} is required` });
}

function fromSource({ name, path, excludes, oneFileSystem }: Source): ItemInput<RegisteredSource> {
  return { name, path, excludes, oneFileSystem };
}

function toSource(source: RegisteredSource): Source {
  const { uuid, name, path, excludes, oneFileSystem } = source;
  return create(SourceSchema, { uuid, name, path, excludes: [...excludes], oneFileSystem, etag: itemEtag(source) });
}

/** Converts a destination. Without an engine, `restic:` means a repository; for a folder, the template's extension decides, and append means .wim. */
function fromDestination(destination: Destination): ItemInput<RegisteredDestination> {
  const { name, engine, url, template, secretRef, append } = destination;
  const chosen = engine === Engine.UNSPECIFIED ? engineOfDestination(destination) : engineNameOf(engine);
  if (chosen === undefined) {
    const message = `unknown engine ${engine}: use TAR, WIM or RESTIC`;
    fail({ reason: "FIELD_INVALID", field: "destination.engine", message });
  }
  return { name, engine: chosen, url, template, secretRef, isAppend: append };
}

function engineOfDestination({ url, template, append: isAppend }: Destination): EngineName {
  if (isRepository(url)) return "restic";
  return template === "" && isAppend ? "wim" : chooseEngine(`/${template}`, "").engine;
}

function toDestination(destination: RegisteredDestination): Destination {
  const { uuid, name, engine, url, template, secretRef, isAppend: append } = destination;
  const freeBytes = BigInt(freeSpaceOf(destination)?.freeBytes ?? 0);
  return create(DestinationSchema, {
    uuid,
    name,
    engine: toEngine(engine),
    url,
    template,
    secretRef,
    append,
    freeBytes,
    etag: itemEtag(destination),
  });
}

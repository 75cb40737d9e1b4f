import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { StoredEnv } from "../../catalog/env-store.ts";
import type { EnvService as Envs } from "../../env/env-service.ts";
import { type Env, EnvSchema, type EnvService } from "../../gen/wimguard/v1/env_pb.ts";
import { answering, failing } from "./failing.ts";

/** Creates the handlers of wimguard.v1.EnvService. */
export function createEnvHandler(envs: Envs): ServiceImpl<typeof EnvService> {
  return {
    captureEnv: ({ requestId }) => failing(async () => toMessage(await envs.capture(requestId))),
    getEnv: ({ uuid }) => answering(() => toMessage(envs.get(uuid))),
    listEnvs: (request) =>
      answering(() => {
        const { items, nextPageToken, total } = envs.list(request);
        const short = items.map((env) => toMessage({ ...env, packages: [], mounts: [], users: [] }));
        return { envs: short, nextPageToken, totalSize: BigInt(total) };
      }),
    deleteEnv: ({ uuid }) =>
      answering(() => {
        envs.delete(uuid);
        return {};
      }),
    diffEnvs: ({ baseUuid, otherUuid }) => failing(async () => ({ changes: await envs.diff(baseUuid, otherUuid) })),
    exportEnv: ({ uuid, format }) => answering(() => ({ text: envs.export(uuid, format) })),
  };
}

function toMessage({ uuid, createdAtMs, host, os, variables, tools, packages, mounts, users }: StoredEnv): Env {
  return create(EnvSchema, {
    uuid,
    createTime: timestampFromMs(createdAtMs),
    host,
    os,
    variables: { ...variables },
    tools: { ...tools },
    packages: [...packages],
    mounts: [...mounts],
    users: [...users],
  });
}
